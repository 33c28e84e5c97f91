"""The trader's configuration: its pages, its file, and the plain form of it that the engine is handed."""

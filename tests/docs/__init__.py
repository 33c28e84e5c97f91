"""The documents: what is written in them is what the program does."""

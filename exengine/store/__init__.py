"""The durable side of the engine: one database, one writer, one transaction for each batch of decisions."""

from exengine.store.database import SqliteStore as SqliteStore

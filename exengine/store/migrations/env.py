"""Runs the migrations over the connection that the program hands over; there is no command line and no ini file."""

from alembic import context

from exengine.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

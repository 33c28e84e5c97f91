"""What every order, line and queue event goes back to; a signal's first fill, and whose replay it is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    for table in ("orders", "notes"):
        op.add_column(table, sa.Column("cause", sa.Text(), nullable=False, server_default=sa.text("''")))
        op.execute(f"UPDATE {table} SET cause = 'signal-' || signal_id WHERE signal_id IS NOT NULL")
    op.add_column("notes", sa.Column("topic", sa.Text(), nullable=True))
    op.add_column("queue_events", sa.Column("signal_id", _WHOLE, nullable=True))
    op.add_column("queue_events", sa.Column("cause", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("signals", sa.Column("filled_at_ms", sa.BigInteger(), nullable=True))
    op.add_column("signals", sa.Column("replay_of", _WHOLE, nullable=True))
    op.create_index("ix_orders_cause", "orders", ["cause"])
    op.create_index("ix_notes_cause", "notes", ["cause"])
    op.create_index("ix_queue_events_signal_id", "queue_events", ["signal_id"])
    op.create_index("ix_queue_events_cause", "queue_events", ["cause"])

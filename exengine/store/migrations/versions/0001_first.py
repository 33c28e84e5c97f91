"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    _meta()
    _groups()
    _orders()
    _fills()
    _signals()
    _queue()
    _queue_events()
    _offsets()
    _notes()
    _balances()
    _instruments()


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("seq", _ROW_NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("number", _WHOLE, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_fill_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_groups"),
        sa.UniqueConstraint("id", name="uq_groups_id"),
    )
    op.create_index("ix_groups_closed_at_ms", "groups", ["closed_at_ms"], unique=False)
    op.create_index("ix_groups_key", "groups", ["account", "symbol", "timeframe", "number"], unique=False)
    op.create_index("ix_groups_status", "groups", ["status"], unique=False)


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("seq", _ROW_NUMBER, nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("pyramid", _WHOLE, nullable=True),
        sa.Column("leg", _WHOLE, nullable=True),
        sa.Column("covers", sa.Text(), nullable=False),
        sa.Column("takes", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=True),
        sa.Column("bound", sa.Text(), nullable=True),
        sa.Column("qty", sa.Text(), nullable=False),
        sa.Column("post_only", sa.Boolean(), nullable=False),
        sa.Column("signal_id", _WHOLE, nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("exchange_order_id", sa.Text(), nullable=True),
        sa.Column("filled_qty", sa.Text(), nullable=False),
        sa.Column("filled_value", sa.Text(), nullable=False),
        sa.Column("trade_ids", sa.Text(), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_orders_group_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_orders"),
        sa.UniqueConstraint("client_id", name="uq_orders_client_id"),
    )
    op.create_index("ix_orders_group_id", "orders", ["group_id"], unique=False)


def _fills() -> None:
    op.create_table(
        "fills",
        sa.Column("seq", _ROW_NUMBER, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("trade_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("qty", sa.Text(), nullable=False),
        sa.Column("fee", sa.Text(), nullable=False),
        sa.Column("fee_currency", sa.Text(), nullable=False),
        sa.Column("liquidity", sa.Text(), nullable=False),
        sa.Column("fee_quote", sa.Text(), nullable=False),
        sa.Column("realised", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["orders.client_id"], name="fk_fills_client_id"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_fills_group_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_fills"),
        sa.UniqueConstraint("account", "trade_id", "client_id", name="uq_fills_account_trade_id_client_id"),
    )
    op.create_index("ix_fills_at_ms", "fills", ["at_ms"], unique=False)
    op.create_index("ix_fills_client_id", "fills", ["client_id"], unique=False)
    op.create_index("ix_fills_group_id", "fills", ["group_id"], unique=False)


def _signals() -> None:
    op.create_table(
        "signals",
        sa.Column("id", _ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("source_address", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("stamped", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=True),
        sa.Column("timeframe", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("stored_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("decided_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signals"),
    )
    op.create_index("ix_signals_digest", "signals", ["digest"], unique=False)
    op.create_index("ix_signals_outcome", "signals", ["outcome"], unique=False)
    op.create_index("ix_signals_received_at_ms", "signals", ["received_at_ms"], unique=False)


def _queue() -> None:
    op.create_table(
        "queue",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("signal_id", _WHOLE, nullable=False),
        sa.Column("queued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("replacement_count", _WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "symbol", "timeframe", "side", name="pk_queue"),
    )


def _queue_events() -> None:
    op.create_table(
        "queue_events",
        sa.Column("seq", _ROW_NUMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("queued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("replacement_count", _WHOLE, nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_queue_events"),
    )
    op.create_index("ix_queue_events_at_ms", "queue_events", ["at_ms"], unique=False)


def _offsets() -> None:
    op.create_table(
        "offsets",
        sa.Column("seq", _ROW_NUMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("loser", sa.Text(), nullable=False),
        sa.Column("required", sa.Text(), nullable=False),
        sa.Column("winner", sa.Text(), nullable=False),
        sa.Column("take", sa.Text(), nullable=False),
        sa.Column("qty", sa.Text(), nullable=False),
        sa.Column("realised", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_offsets"),
    )
    op.create_index("ix_offsets_at_ms", "offsets", ["at_ms"], unique=False)


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", _ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("signal_id", _WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
    )
    op.create_index("ix_notes_at_ms", "notes", ["at_ms"], unique=False)
    op.create_index("ix_notes_group_id", "notes", ["group_id"], unique=False)


def _balances() -> None:
    op.create_table(
        "balances",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "currency", name="pk_balances"),
    )


def _instruments() -> None:
    op.create_table(
        "instruments",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("position", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "position", name="pk_instruments"),
    )
    op.create_index("ix_instruments_symbol", "instruments", ["account", "symbol"], unique=False)

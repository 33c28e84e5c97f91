"""The tables: a column for whatever is filtered, listed or exported, a JSON document for what is nested."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, MetaData, Table, Text, UniqueConstraint, text

from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.instrument import OrderSide, Side
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.order import Liquidity, OrderStatus, OrderType, Role
from exengine.domain.reception import Outcome
from exengine.store.columns import Choice, Millis, Money, RowNumber, Whole, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single values: instance, control, ledger, plan, market_clock_ms, and the writer's mark."""

groups = Table(
    "groups",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("number", Whole, nullable=False),
    Column("side", Choice(Side), nullable=False),
    Column("quote", Text, nullable=False),
    Column("status", Choice(GroupStatus), nullable=False),
    Column("reason", Choice(CloseReason)),
    Column("opened_at_ms", Millis, nullable=False),
    Column("first_fill_at_ms", Millis),
    Column("closed_at_ms", Millis),
    Column("document", Text, nullable=False),
    Index("ix_groups_key", "account", "symbol", "timeframe", "number"),
    Index("ix_groups_status", "status"),
    Index("ix_groups_closed_at_ms", "closed_at_ms"),
)
"""`seq` rises in the order in which groups began. `document` is the whole Group; the columns repeat parts of it."""

is_open = groups.c.status.in_([status for status in GroupStatus if status is not GroupStatus.CLOSED])
"""Which groups live. Each status is named, for an index finds those: `!=` would read every group that ever was."""

orders = Table(
    "orders",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    Column("group_id", Text, ForeignKey("groups.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("role", Choice(Role), nullable=False),
    Column("pyramid", Whole),
    Column("leg", Whole),
    Column("covers", Text, nullable=False),
    Column("takes", Text, nullable=False),
    Column("side", Choice(OrderSide), nullable=False),
    Column("type", Choice(OrderType), nullable=False),
    Column("price", Money),
    Column("bound", Money),
    Column("qty", Money, nullable=False),
    Column("post_only", Boolean, nullable=False),
    Column("signal_id", Whole),
    Column("created_at_ms", Millis, nullable=False),
    Column("status", Choice(OrderStatus), nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("exchange_order_id", Text),
    Column("filled_qty", Money, nullable=False),
    Column("filled_value", Money, nullable=False),
    Column("trade_ids", Text, nullable=False),
    Column("sent_at_ms", Millis),
    Column("acknowledged_at_ms", Millis),
    Column("closed_at_ms", Millis),
    Column("error", Words),
    Column("cause", Text, nullable=False, server_default=text("''")),
    Index("ix_orders_group_id", "group_id"),
    Index("ix_orders_cause", "cause"),
)
"""`seq` rises in the order in which orders were made. `covers`, `takes` and `trade_ids` are JSON lists.

`cause`, here and elsewhere: what it goes back to, see `exengine.domain.cause`; `signal_id` where that is an alert.
"""

fills = Table(
    "fills",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("account", Text, nullable=False),
    Column("trade_id", Text, nullable=False),
    Column("client_id", Text, ForeignKey("orders.client_id"), nullable=False),
    Column("group_id", Text, ForeignKey("groups.id"), nullable=False),
    Column("at_ms", Millis, nullable=False),
    Column("price", Money, nullable=False),
    Column("qty", Money, nullable=False),
    Column("fee", Money, nullable=False),
    Column("fee_currency", Text, nullable=False),
    Column("liquidity", Choice(Liquidity), nullable=False),
    Column("fee_quote", Money, nullable=False),
    Column("realised", Money, nullable=False),
    UniqueConstraint("account", "trade_id", "client_id"),
    Index("ix_fills_client_id", "client_id"),
    Index("ix_fills_group_id", "group_id"),
    Index("ix_fills_at_ms", "at_ms"),
)

signals = Table(
    "signals",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=False),
    Column("received_at_ms", Millis, nullable=False),
    Column("source_address", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("digest", Text),
    Column("stamped", Boolean, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("account", Text),
    Column("symbol", Text),
    Column("timeframe", Text),
    Column("document", Text),
    Column("outcome", Choice(Outcome)),
    Column("reason", Words, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("stored_at_ms", Millis),
    Column("decided_at_ms", Millis),
    Column("sent_at_ms", Millis),
    Column("acknowledged_at_ms", Millis),
    Column("filled_at_ms", Millis),
    Column("replay_of", Whole),
    Index("ix_signals_digest", "digest"),
    Index("ix_signals_received_at_ms", "received_at_ms"),
    Index("ix_signals_outcome", "outcome"),
)
"""`counts`: whether a later signal of the same digest may be its resend. `document` is the Signal, where it is one.

`sent_at_ms`, `acknowledged_at_ms` and `filled_at_ms` are of the first order that it led to; they are written with the
transaction of that order's news, some time after the signal's own.
"""

queue = Table(
    "queue",
    metadata,
    Column("account", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("side", Choice(Side), primary_key=True),
    Column("signal_id", Whole, nullable=False),
    Column("queued_at_ms", Millis, nullable=False),
    Column("replacement_count", Whole, nullable=False),
    Column("reason", Words, nullable=False),
    Column("document", Text, nullable=False),
)
"""Who waits now. `document` is the whole Waiting."""

queue_events = Table(
    "queue_events",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("at_ms", Millis, nullable=False),
    Column("key", Text, nullable=False),
    Column("side", Choice(Side), nullable=False),
    Column("event", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("queued_at_ms", Millis, nullable=False),
    Column("replacement_count", Whole, nullable=False),
    Column("price", Money, nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("signal_id", Whole),
    Column("cause", Text, nullable=False, server_default=text("''")),
    Index("ix_queue_events_at_ms", "at_ms"),
    Index("ix_queue_events_signal_id", "signal_id"),
    Index("ix_queue_events_cause", "cause"),
)

offsets = Table(
    "offsets",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("at_ms", Millis, nullable=False),
    Column("loser", Text, nullable=False),
    Column("required", Money, nullable=False),
    Column("winner", Text, nullable=False),
    Column("take", Money, nullable=False),
    Column("qty", Money, nullable=False),
    Column("realised", Money, nullable=False),
    Index("ix_offsets_at_ms", "at_ms"),
)
"""What the risk engine has done: a row for each winner of an offset. Amounts in USD."""

results = Table(
    "results",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("group_id", Text, ForeignKey("groups.id"), nullable=False, unique=True),
    Column("account", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("side", Choice(Side), nullable=False),
    Column("quote", Text, nullable=False),
    Column("strategy", Words, nullable=False),
    Column("opened_at_ms", Millis, nullable=False),
    Column("closed_at_ms", Millis, nullable=False),
    Column("realised", Money, nullable=False),
    Column("cost", Money, nullable=False),
    Column("fees", Money, nullable=False),
)
"""What each closed group came to, in its quote; `seq` rises in the order in which they closed."""

equity = Table(
    "equity",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("at_ms", Millis, nullable=False),
    Column("realised", Money, nullable=False),
    Column("unrealised", Money),
)
"""At each close what all of them have brought so far, and what was open then was worth more than it cost, in USD."""

notes = Table(
    "notes",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=False),
    Column("at_ms", Millis, nullable=False),
    Column("severity", Choice(Severity), nullable=False),
    Column("category", Choice(Category), nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("text", Words, nullable=False),
    Column("advice", Words, nullable=False),
    Column("signal_id", Whole),
    Column("cause", Text, nullable=False, server_default=text("''")),
    Column("topic", Choice(Topic)),
    Index("ix_notes_at_ms", "at_ms"),
    Index("ix_notes_cause", "cause"),
    Index("ix_notes_group_id", "group_id"),
)
"""The audit trail."""

balances = Table(
    "balances",
    metadata,
    Column("account", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("moved", Money, nullable=False),
)
"""What our own fills and fees have changed of each account's holdings."""

instruments = Table(
    "instruments",
    metadata,
    Column("account", Text, primary_key=True),
    Column("position", Whole, primary_key=True, autoincrement=False),
    Column("symbol", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_instruments_symbol", "account", "symbol"),
)
"""The cache of market rules, in the order in which the account listed them."""

"""What each closed group came to, and the equity at each close: the dashboard reads no documents and no fills."""

import json
from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_LOT = 500
_DOLLARS = ("USDT", "USDC", "FDUSD", "DAI", "USD")


def upgrade() -> None:
    results, equity = _results(), _equity()
    connection = op.get_bind()
    with localcontext(Context(prec=50)):
        _put(connection, results, _closed_groups(connection))
        _put(connection, equity, _closes(connection))


def _results() -> sa.Table:
    return op.create_table(
        "results",
        sa.Column("seq", _ROW_NUMBER, nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("realised", sa.Text(), nullable=False),
        sa.Column("cost", sa.Text(), nullable=False),
        sa.Column("fees", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_results_group_id_groups"),
        sa.PrimaryKeyConstraint("seq", name="pk_results"),
        sa.UniqueConstraint("group_id", name="uq_results_group_id"),
    )


def _equity() -> sa.Table:
    return op.create_table(
        "equity",
        sa.Column("seq", _ROW_NUMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("realised", sa.Text(), nullable=False),
        sa.Column("unrealised", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_equity"),
    )


# rows of what has been traded before ----------------------------------------------------------------------------------


def _put(connection: sa.Connection, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
    lot: list[dict[str, Any]] = []
    for row in rows:
        lot.append(row)
        if len(lot) == _LOT:
            connection.execute(sa.insert(table), lot)
            lot = []
    if lot:
        connection.execute(sa.insert(table), lot)


def _closed_groups(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """In the order in which they closed, some at a time: their documents are long."""
    ids = connection.scalars(
        sa.text(
            "SELECT seq FROM groups WHERE status = 'closed' AND closed_at_ms IS NOT NULL ORDER BY closed_at_ms, seq"
        )
    ).all()
    for first in range(0, len(ids), _LOT):
        wanted = list(ids[first : first + _LOT])
        found = connection.execute(
            sa.text(
                "SELECT seq, id, account, symbol, timeframe, side, quote, opened_at_ms, closed_at_ms, document"
                " FROM groups WHERE seq IN :wanted"
            ).bindparams(sa.bindparam("wanted", expanding=True)),
            {"wanted": wanted},
        )
        rows = {row.seq: (row, json.loads(row.document)) for row in found}
        names = _strategies(connection, [_opener(document) for _, document in rows.values()])
        for seq in wanted:
            yield _result(*rows[seq], names)


def _opener(document: dict[str, Any]) -> int | None:
    pyramids = document.get("pyramids") or []
    return pyramids[0]["signal_id"] if pyramids else None


def _strategies(connection: sa.Connection, signal_ids: list[int | None]) -> dict[int | None, str]:
    found = connection.execute(
        sa.text("SELECT id, document FROM signals WHERE id IN :wanted AND document IS NOT NULL").bindparams(
            sa.bindparam("wanted", expanding=True)
        ),
        {"wanted": [signal_id for signal_id in signal_ids if signal_id is not None]},
    )
    return {row.id: json.loads(row.document).get("alert_name") or "" for row in found}


def _result(row: Any, document: dict[str, Any], names: dict[int | None, str]) -> dict[str, Any]:
    sign = Decimal(-1 if row.side == "short" else 1)
    realised = cost = fees = Decimal(0)
    for pyramid in document.get("pyramids") or []:
        for leg in pyramid["legs"]:
            realised += Decimal(leg.get("realised", "0"))
            fees += Decimal(leg.get("fees", "0"))
            cost += Decimal(leg.get("entered_value", "0")) + sign * Decimal(leg.get("entry_fees_quote", "0"))
    return {
        "group_id": row.id,
        "account": row.account,
        "symbol": row.symbol,
        "timeframe": row.timeframe,
        "side": row.side,
        "quote": row.quote,
        "strategy": names.get(_opener(document), ""),
        "opened_at_ms": row.opened_at_ms,
        "closed_at_ms": row.closed_at_ms,
        "realised": str(realised),
        "cost": str(cost),
        "fees": str(fees),
    }


def _closes(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """What was realised, at each moment that closed something; what was open then was not written down."""
    found = connection.execute(
        sa.text(
            "SELECT fills.at_ms, fills.realised, groups.quote FROM fills JOIN groups ON fills.group_id = groups.id"
            " WHERE fills.realised <> '0' ORDER BY fills.at_ms, fills.seq"
        )
    )
    total, at_ms = Decimal(0), None
    for row in found.all():
        if at_ms is not None and row.at_ms != at_ms:
            yield {"at_ms": at_ms, "realised": str(total), "unrealised": None}
        at_ms = row.at_ms
        total += Decimal(row.realised) if row.quote in _DOLLARS else 0
    if at_ms is not None:
        yield {"at_ms": at_ms, "realised": str(total), "unrealised": None}

"""What the groups are worth in all: worked out anew only where something has changed, and always the whole of it."""

from dataclasses import replace
from decimal import Decimal

from exengine.engine.rows import Quote
from exengine.ui.book import Book, UsdSum
from tests.ui import rows

D = Decimal
GROUPS = rows.sample_groups()
COIN = replace(GROUPS[0], id="paper|SOL/BTC|1h#1", symbol="SOL/BTC", quote="BTC")


def anew(book: Book) -> UsdSum:
    """By a book that is told of everything at once."""
    other = Book()
    other.apply(rows.changes(list(book.groups.values()), quotes=dict(book.quotes)))
    return other.unrealised_usd()


def quote(price: str) -> Quote:
    return Quote(price=D(price), at_ms=rows.NOW_MS)


def test_what_changed_is_all_that_is_worked_out_and_the_sum_is_whole():
    book = Book()
    book.apply(rows.changes([*GROUPS, COIN], quotes=rows.sample_quotes()))
    first = book.unrealised_usd()
    assert first.missing == 1, "nothing says what a bitcoin pair is worth"
    held = next(group for group in GROUPS if group.holding.net_base)
    for changes in (
        rows.changes(quotes={(held.account, held.symbol): quote("1.5")}),
        rows.changes(quotes={(COIN.account, "SOL/BTC"): quote("0.003")}),
        rows.changes(quotes={(COIN.account, "BTC/USDT"): quote("64000")}),
        rows.changes(quotes={(COIN.account, "BTC/USDT"): quote("65000")}),
        rows.changes([replace(held, holding=replace(held.holding, cost=held.holding.cost + 1))]),
        rows.changes(gone=[held.id]),
        rows.changes([held]),
    ):
        before = book.unrealised_usd()
        book.apply(changes)
        assert book.unrealised_usd() == anew(book)
        assert book.unrealised_usd() != before
    assert book.unrealised_usd().missing == 0
    book.apply(rows.changes(gone=[group.id for group in (*GROUPS, COIN)]))
    assert book.unrealised_usd() == UsdSum(D(0), 0)

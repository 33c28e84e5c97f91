"""What the window is shown of a group, pyramid and leg."""

from decimal import Decimal

from exengine.domain.money import arithmetic
from exengine.domain.settings import GridSettings, LegSpec, Settings, SizingSettings
from exengine.engine.row_builder import group_row
from exengine.engine.rows import GroupRow
from exengine.exchange.paper_book import Fees
from tests.helpers.world import World


def two_legs() -> Settings:
    legs = tuple(
        LegSpec(gap_percent=Decimal(gap), weight_percent=Decimal(50), tp_percent=Decimal(target))
        for gap, target in (("0", "5"), ("-1", "1"))
    )
    return Settings(grid=GridSettings(legs=legs), sizing=SizingSettings(amount=Decimal(1000)))


def row(world: World) -> GroupRow:
    (group,) = world.state.groups.values()
    with arithmetic():
        return group_row(world.state, group)


def test_a_group_shows_the_nearest_target_and_what_it_holds_is_worth() -> None:
    world = World(two_legs())
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    shown = row(world)
    assert (shown.legs_filled, shown.legs_total, shown.open_entries) == (1, 2, 1)
    assert shown.target == Decimal(52500)
    with arithmetic():
        assert shown.holding.marked(Decimal(51000)).unrealised == Decimal(10)
        assert shown.holding.marked(Decimal(51000)).unrealised_percent == Decimal(2)
        assert shown.to_target_percent(Decimal(50000)) == Decimal(5)
    assert shown.holding.marked(None).unrealised is None


def test_a_leg_shows_how_far_it_has_come() -> None:
    world = World(two_legs())
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    leg = row(world).pyramid_rows[0].legs[0]
    with arithmetic():
        shares = [leg.progress(Decimal(price)) for price in (49000, 51250, 60000)]
    assert shares == [Decimal(0), Decimal("0.5"), Decimal(1)]


def test_the_dust_of_a_closed_leg_has_no_result_of_its_own() -> None:
    world = World(two_legs(), fees=Fees())
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "49500")
    world.price("BTC/USDT", "49995")
    shown = row(world)
    closed = shown.pyramid_rows[0].legs[1]
    assert closed.state == "closed"
    assert closed.realised is not None
    assert closed.holding.marked(Decimal(50000)).unrealised is None
    assert shown.holding.net_base == world.group().net_qty

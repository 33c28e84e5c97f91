"""What can happen in a life, by its name: market, alerts, the trader's hands here and there, and all faults."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from exengine.domain.events import (
    AdoptAsked,
    BlockSet,
    EntriesCancelAsked,
    Event,
    GroupCloseAsked,
    Panicked,
    Paused,
    QueueAction,
    QueueAsked,
    Resumed,
    RiskRunAsked,
    SkipAsked,
)
from exengine.domain.group import GroupKey
from exengine.engine.changes import StoreFailed
from exengine.engine.engine import TRIES_ALONE
from exengine.engine.panel_rows import Panel
from tests.exchange_server.venue import VenueMarket, VenueRefusal
from tests.helpers.alerts import ABSENT, alert
from tests.simulation.configuration import settings_of
from tests.simulation.line import Fault, Line
from tests.simulation.loop import SimulatedLoop
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.life import Life

Args = dict[str, Any]
D = Decimal
NAMES = {"spot": "BINANCE", "swap": "BYBIT"}


def _there(life: "Life", args: Args) -> tuple[Line, VenueMarket]:
    line = life.lines[args["account"]]
    return line, list(line.venue.markets.values())[args["market"]]


def _on(step: Decimal, value: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def price(life: "Life", args: Args) -> None:
    line, market = _there(life, args)
    moved = D(args["to"]) if "to" in args else line.venue.last[market.id] * (1 + D(args["percent"]) / 100)
    qty = None
    if args.get("part"):
        offered = sum((order.leaves for order in line.venue.open_orders(market.id)[:2]), D(0))
        qty = max(_on(market.step, offered * D(str(args["part"]))), market.step)
    line.venue.tick(market.id, max(_on(market.tick, moved), market.tick), qty)


def send_alert(life: "Life", args: Args) -> None:
    line, market = _there(life, args)
    at = _on(market.tick, line.venue.last[market.id] * (1 + D(args.get("percent", "0")) / 100))
    sign = 1 if args["action"] == "buy" else -1
    risk: Args = {}
    if "stop" in args:
        risk["stop_loss"] = str(_on(market.tick, at * (1 - sign * D(args["stop"]) / 100)))
    if "aim" in args:
        risk["take_profit"] = str(_on(market.tick, at * (1 + sign * D(args["aim"]) / 100)))
    named: Args = {
        "timestamp": datetime.fromtimestamp(life.clock.now_ms() / 1000, UTC).isoformat(timespec="milliseconds"),
        "tv__exchange": NAMES[args["account"]],
        "tv__symbol": market.id + (".P" if market.type == "swap" else ""),
        "tv__timeframe": args["timeframe"],
        "tv__action": args["action"],
        "tv__entry_price": str(at),
        "execution_intent": {"type": args["intent"]},
    }
    if "size" in args:
        named["tv__order_size"] = args["size"]
    if "unit" in args:
        named["execution_intent"]["position_size_type"] = args["unit"]
    if "strict" in args:
        named["execution_intent"]["precision_mode"] = "strict"
    if "slippage" in args:
        risk["max_slippage_percent"] = args["slippage"]
    if "unstamped" in args:
        named["timestamp"] = ABSENT
    if "positions" in args:
        names = ("prev_market_position", "prev_market_position_size", "market_position", "market_position_size")
        named |= {f"tv__{name}": value for name, value in zip(names, args["positions"], strict=True)}
    body = alert(**named, risk=risk)
    for _ in range(args.get("copies", 1)):
        life.work(life.send_alert(body))


def trader(life: "Life", args: Args) -> None:
    line, market = _there(life, args)
    key = GroupKey(line.account, line.symbols[market.id], {"15": "15m", "60": "1h"}[args["timeframe"]])
    group_id = life.process.state.live.get(key, "")
    asked: dict[str, Event] = {
        "pause": Paused(),
        "resume": Resumed(),
        "panic": Panicked(),
        "panic entries": Panicked(entries_only=True),
        "run risk": RiskRunAsked(),
        "close": GroupCloseAsked(group_id=group_id),
        "cancel": EntriesCancelAsked(group_id=group_id),
        "adopt": AdoptAsked(group_id=group_id),
        "block": BlockSet(key=key, blocked=True),
        "unblock": BlockSet(key=key, blocked=False),
        "skip": SkipAsked(key=key),
        "promote": QueueAsked(key=key, action=QueueAction.PROMOTE),
        "remove": QueueAsked(key=key, action=QueueAction.REMOVE),
        "force": QueueAsked(key=key, action=QueueAction.FORCE),
    }
    _ask(life.process, [asked[args["what"]]])


def _ask(process: Process, events: list[Event]) -> None:
    async def ask() -> None:
        for event in events:
            try:
                await process.engine.submit(event)
            except StoreFailed:
                return

    if process.is_alive and process.is_trading:
        process.begin(ask())


def close_all(life: "Life", args: Args) -> None:
    """What the trader does with what is left: the exchange's view where coins are gone, then everything out."""
    groups = life.process.state.groups.values()
    events: list[Event] = [AdoptAsked(group_id=group.id) for group in groups if group.short_of_coins]
    _ask(life.process, [*events, Panicked()])


def fault(life: "Life", args: Args) -> None:
    life.lines[args["account"]].faults.append(Fault(route=args["route"], what=args["what"], times=args["times"]))


def stream(life: "Life", args: Args) -> None:
    line, until_s = life.lines[args["account"]], life.loop.time() + args["seconds"]
    match args["what"]:
        case "cut":
            line.cut_stream(args["seconds"])
        case "mute":
            line.stream_mute_until_s = until_s
        case "die":
            for exchange in life.process.exchanges:
                exchange.fails_next = exchange.fails_next or exchange.account == line.account
        case mood:
            line.stream_moods[mood] = until_s


def feed(life: "Life", args: Args) -> None:
    life.lines[args["account"]].feed_mute_until_s = life.loop.time() + args["seconds"]


def away(life: "Life", args: Args) -> None:
    line = life.lines[args["account"]]
    if args["what"] == "maintenance":
        line.maintenance_until_s = life.loop.time() + args["seconds"]
        line.cut_stream(args["seconds"])
        return
    line.key_revoked = True

    def put_right() -> None:
        line.key_revoked = False

    life.loop.call_later(args["seconds"], put_right)


def hand(life: "Life", args: Args) -> None:
    line, market = _there(life, args)
    venue, share = line.venue, D(args["share"])
    ours = [order for order in venue.open_orders(market.id) if order.client_id]
    try:
        match args["what"]:
            case "cancel" if ours:
                venue.cancel(market_id=market.id, order_id=ours[0].id)
            case "sell":
                _sell(line, market, share)
            case "order":
                low = _on(market.tick, venue.last[market.id] * D("0.7"))
                qty = max(market.min_qty, _on(market.step, D(20) / low / market.contract_size) + market.step)
                venue.place(market_id=market.id, side="buy", type="limit", price=low, qty=qty)
            case "deposit":
                line.deposit("USDT", D(1000) * share)
            case "withdraw":
                line.deposit("USDT", -_on(D("0.01"), max(venue.amounts("USDT")[0], D(0)) * share))
            case _:
                return
    except VenueRefusal:
        return


def _sell(line: Line, market: VenueMarket, share: Decimal) -> None:
    """The trader takes our targets away and sells what is there."""
    venue = line.venue
    held = venue.total.get(market.base, D(0)) if line.is_spot else venue.positions[market.id].contracts
    side = "sell" if held > 0 else "buy"
    for order in venue.open_orders(market.id):
        if order.client_id and order.side == side:
            venue.cancel(market_id=market.id, order_id=order.id)
    qty = _on(market.step, abs(held) * share)
    if qty > 0:
        line.sold_by_hand.add(market.base if line.is_spot else line.symbols[market.id])
        venue.place(market_id=market.id, side=side, type="market", qty=qty, reduce_only=not line.is_spot)


def change_market(life: "Life", args: Args) -> None:
    line, market = _there(life, args)
    venue, loop, seconds = line.venue, life.loop, args["seconds"]
    match args["what"]:
        case "halt":
            venue.halt(market.id)
            loop.call_later(seconds, lambda: venue.list_again(market.id))
        case "rules":
            coarser = {"tick": market.tick * 10, "step": market.step * 2, "min_qty": market.step * 2}
            line.rules_changed = True
            venue.change_rules(_changed(venue.markets[market.id], coarser))
        case _:
            venue.liquidity[market.id] = market.step * 3
            loop.call_later(seconds, lambda: venue.liquidity.pop(market.id, None))


def _changed(market: VenueMarket, values: dict[str, Decimal]) -> VenueMarket:
    return replace(market, **values)


def store(life: "Life", args: Args) -> None:
    faults = life.disk_faults
    faults.after = args.get("after", 0)
    match args["what"]:
        case "fail":
            faults.fail_times += args["times"]
        case "locked":
            faults.locked_times += args["times"]
        case "broken" if not faults.was_broken:
            faults.was_broken, faults.broken_times = True, min(args["times"], TRIES_ALONE - 1)
        case "broken":
            pass
        case "full":
            faults.full_until_s = life.loop.time() + args["seconds"]
        case _:
            faults.slow_s = 0.2


def clock(life: "Life", args: Args) -> None:
    life.clock.off_ms += args["ms"]


def sleep(life: "Life", args: Args) -> None:
    """The machine sleeps: its market goes on, unheard. The loop's clock stands meanwhile, or it goes on too."""
    for line in life.lines.values():
        line.feed_mute_until_s = line.stream_mute_until_s = life.loop.time() + 0.001
        for market_id, last in list(line.venue.last.items()):
            tick = line.venue.markets[market_id].tick
            line.venue.tick(market_id, max(_on(tick, last * (1 + D(args["percent"]) / 100)), tick))
    if args["stands"]:
        life.clock.off_ms += args["seconds"] * 1000
    else:
        assert isinstance(life.loop, SimulatedLoop)
        life.loop.now_s += args["seconds"]


def death(life: "Life", args: Args) -> None:
    life.process.dies_at[args["point"]] = args["nth"]
    life.down_s = args["down_s"]
    life.dies_next = dict(args.get("then", {}))


def stop(life: "Life", args: Args) -> None:
    """The trader ends the program, and starts it again."""
    if life.process.is_alive and life.process.is_trading:
        life.down_s = args["down_s"]
        life.work(life.process.stop())


def window(life: "Life", args: Args) -> None:
    """Somebody looks at everything that there is to be seen: what has changed since the last look, or all of it."""
    process = life.process

    async def look() -> None:
        await process.engine.whole()
        process.views.watch(Panel)
        if args["anew"]:
            process.views.refresh()
            process.shown.clear()
        seen = process.views.take()
        process.shown.update(seen.groups)
        process.shown.difference_update(seen.gone_groups)
        if process.shown != set(process.state.groups):
            life.violated(f"shown are {sorted(process.shown)}, open are {sorted(process.state.groups)}")

    if process.is_alive and process.is_trading:
        process.begin(look())


def apply(life: "Life", args: Args) -> None:
    """The trader changes settings; `anew` are accounts whose connection is made again for it."""
    if life.process.is_alive and not life.process.is_trading:
        return  # the trader cannot apply before it runs
    life.choices = life.choices | args["choices"]
    settings, anew = settings_of(life.choices), set(args["anew"]) & set(life.lines)

    async def applied(process: Process) -> None:
        async with process.applying:
            before, life.settings = life.settings, settings  # what a start would find in the file
            try:
                await process.apply(settings, anew)
            except StoreFailed:
                life.settings = before

    if life.process.is_alive:
        life.process.begin(applied(life.process))
    else:
        life.settings = settings


ACTS: dict[str, Callable[["Life", Args], None]] = {
    "price": price,
    "alert": send_alert,
    "trader": trader,
    "close all": close_all,
    "fault": fault,
    "stream": stream,
    "feed": feed,
    "away": away,
    "hand": hand,
    "market": change_market,
    "store": store,
    "clock": clock,
    "death": death,
    "apply": apply,
    "sleep": sleep,
    "stop": stop,
    "window": window,
}

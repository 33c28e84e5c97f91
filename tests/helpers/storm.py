"""Alerts of every kind and a wild market at a local exchange, while the program there dies again and again."""

import asyncio
import http.client
import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from tests.exchange_server.serving import new_venue
from tests.exchange_server.venue import Venue, VenueEvent
from tests.helpers.live_books import Alerts
from tests.helpers.live_program import LiveRun
from tests.helpers.program import entry, eventually

D = Decimal
CAPITAL = D(100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One account's exchange, and how alerts name what is traded there."""

    exchange: str
    market_type: str = "spot"
    market_ids: Mapping[str, str]
    """Coin → the venue's name of its market."""
    timeframes: tuple[str, ...] = ("5", "15", "60")
    amount: str = "300"

    @property
    def name(self) -> str:
        return f"{self.exchange} {self.market_type}"

    def symbol(self, coin: str) -> str:
        return f"{coin}USDT.P" if self.market_type == "swap" else f"{coin}USDT"

    def venue(self) -> Venue:
        made = new_venue(self.exchange, balances={"USDT": CAPITAL})
        for coin, price in START.items():
            made.tick(self.market_ids[coin], price)
        return made

    @property
    def account(self) -> dict[str, Any]:
        return {"market_type": self.market_type, "leverage": "3"} if self.market_type == "swap" else {}

    @property
    def sections(self) -> dict[str, Any]:
        """A configuration in which ladders, queue, targets and offsets all have much to do."""
        return {
            "sizing": {"amount": self.amount},
            "grid": {"max_pyramids": 3},
            "pool": {"max_open_groups": len(START) * len(self.timeframes) - 1},
            "queue": {"evaluate_seconds": 1},
            "risk": {
                "loss_threshold_percent": "-1.5", "require_full_pyramids": False, "enable_post_full_wait": False,
                "evaluate_seconds": 1,
            },
        }  # fmt: skip


START = {"BTC": D(46000), "ETH": D(2500)}
BAND = D("0.15")
"""How far prices leave where they began."""

SCENES = {
    scene.name: scene
    for scene in (
        Scene(exchange="binance", market_ids={"BTC": "BTCUSDT", "ETH": "ETHUSDT"}),
        Scene(exchange="bybit", market_ids={"BTC": "BTCUSDT", "ETH": "ETHUSDT"}),
        Scene(exchange="okx", market_ids={"BTC": "BTC-USDT", "ETH": "ETH-USDT"}),
        # One chart a symbol: in one-way mode an account has one position of a symbol.
        Scene(
            exchange="binance",
            market_type="swap",
            market_ids={"BTC": "BTCUSDT.P", "ETH": "ETHUSDT.P"},
            timeframes=("15",),
            amount="2500",
        ),
    )
}


@dataclass(kw_only=True)
class Storm:
    """What happens to one program. Everything that happened at the exchange is kept in `events`."""

    run: LiveRun
    scene: Scene
    chance: random.Random
    alerts: Alerts = field(default_factory=Alerts)
    events: list[VenueEvent] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    _numbers: count = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.run.venue.listeners.append(self.events.append)

    async def life(self, lasts_s: float) -> None:
        """One life of the running program, until it is killed; then the next begins, if it is let."""
        if self.chance.random() < 0.7:
            await self._trades()
        death = _Death(self.run, after=self.chance.randint(1, 60))
        self.run.venue.listeners.append(death)
        loop = asyncio.get_running_loop()
        end = loop.time() + self.chance.uniform(0.1, lasts_s)
        while not death.came and loop.time() < end:
            await self.something()
        self.run.venue.listeners.remove(death)
        self.kills["at an event of the exchange" if death.came else "at any moment"] += 1
        await self._killed()
        while self.chance.random() < 0.2:
            self.kills["while it started"] += 1
            self.run.begin()
            await asyncio.sleep(self.chance.uniform(0.3, 4))
            await self._killed()
        await self.run.start()
        await self.send_again()

    async def _trades(self) -> None:
        """Waits until the program has its account, whatever it found there: from then on entries go out."""
        program = self.run.process
        assert program is not None
        await asyncio.to_thread(eventually, lambda: program.health() == "running", within_s=120, what="its account")

    async def _killed(self) -> None:
        await self.run.stop(number=signal.SIGKILL)
        for _ in range(self.chance.randint(0, 4)):
            self.move()  # the market does not wait for the next start

    async def something(self) -> None:
        """Alerts, or the market moving."""
        if self.chance.random() < 0.12:
            await asyncio.gather(*(self._send(self._alert()) for _ in range(self.chance.choice((1, 1, 1, 3)))))
        elif self.chance.random() < 0.02 and self.alerts.accepted:
            await self._send(self.chance.choice(list(self.alerts.accepted)[-20:]))
        else:
            self.move()
            await asyncio.sleep(0.02)

    async def send_again(self) -> None:
        """What nobody answered comes again, as TradingView sends it."""
        for number in list(self.alerts.unanswered):
            self.alerts.unanswered.remove(number)
            await self._send(number)

    async def leave(self) -> None:
        """An exit of everything."""
        for coin in START:
            for timeframe in self.scene.timeframes:
                await self._send(self._numbered(coin, timeframe, execution_intent__type="exit"))

    def _alert(self) -> int:
        coin = self.chance.choice(list(START))
        timeframe = self.chance.choice(self.scene.timeframes)
        price = self.run.venue.last[self.scene.market_ids[coin]]
        kind = self.chance.choices(("entry", "exit", "reduce", "reverse"), (70, 8, 10, 12))[0]
        if kind == "entry":
            side = "sell" if self.scene.market_type == "swap" and coin == "ETH" else "buy"
            action = {"tv__action": side, "tv__market_position": "short" if side == "sell" else "long"}
            return self._numbered(coin, timeframe, **action)
        sizes = {"tv__order_size": f"{D(30) / price:.6f}"} if kind == "reduce" else {}
        return self._numbered(coin, timeframe, execution_intent__type=kind, **sizes)

    def _numbered(self, coin: str, timeframe: str, **changes: Any) -> int:
        number = next(self._numbers)
        self.alerts.sent[number] = entry(
            self.run.venue.last[self.scene.market_ids[coin]],
            tv__exchange=self.scene.exchange.upper(),
            tv__symbol=self.scene.symbol(coin),
            tv__timeframe=timeframe,
            strategy_info__trade_id=str(number),
            **changes,
        )
        return number

    async def _send(self, number: int) -> None:
        try:
            status, answer = await self.run.post(self.alerts.sent[number])
        except (OSError, http.client.HTTPException):
            if number not in self.alerts.accepted and number not in self.alerts.duplicates:
                self.alerts.unanswered.append(number)
        else:
            self.alerts.answered(number, status, answer)

    def move(self) -> None:
        """A tick of one coin, that fills what it reaches, wholly or in part."""
        coin = self.chance.choice(list(START))
        market_id = self.scene.market_ids[coin]
        market = self.run.venue.markets[market_id]
        last = self.run.venue.last[market_id]
        price = last * (1 + D(self.chance.randint(-90, 90)) / 10000)
        price = min(max(price, START[coin] * (1 - BAND)), START[coin] * (1 + BAND))
        part = self.chance.choice((None, D(20), D(80)))
        qty = part and max(part / price // market.step * market.step, market.step)
        self.run.venue.tick(market_id, price // market.tick * market.tick, qty)


class _Death:
    """Kills the program in the very moment of an event at the exchange: an answer is then not even on its way."""

    def __init__(self, run: LiveRun, *, after: int) -> None:
        self._run = run
        self._left = after
        self.came = False

    def __call__(self, event: VenueEvent) -> None:
        self._left -= event.kind != "balance"
        if self._left <= 0 and not self.came and self._run.process is not None:
            self.came = True
            self._run.process.process.kill()


async def until_none(look: Callable[[], list[str]], *, within_s: float) -> list[str]:
    """What `look` still finds when it has found nothing, or when the time is over; asked twice a second."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while found := await asyncio.to_thread(look):
        if loop.time() > end:
            break
        await asyncio.sleep(0.5)
    return found

"""What a perpetual account needs before its first order of a symbol: one-way mode, margin mode, leverage."""

import asyncio
from decimal import Decimal
from typing import Any, assert_never

from exengine.domain.errors import Refused
from exengine.domain.money import plain
from exengine.domain.order import Order, Role
from exengine.exchange.live.client import CcxtClient
from exengine.exchange.live.pace import Urgency
from exengine.exchange.live.profiles import MarginModeBy


class SwapSetup:
    """Sets each symbol up once in a run. Lives on the exchange's own loop."""

    def __init__(self, client: CcxtClient, *, leverage: Decimal, margin_mode: str) -> None:
        self._client = client
        self._leverage = leverage
        self._margin_mode = margin_mode
        self._ready: set[str] = set()
        self._one_way = False
        self._turn = asyncio.Lock()

    async def ready(self, symbol: str) -> None:
        """Waits until the symbol is set as the account's settings say.

        Raises Refused where the exchange does not allow it, as with a position that is already open another way.
        """
        if symbol in self._ready:
            return
        async with self._turn:
            if symbol in self._ready:
                return
            if not self._client.ccxt.markets:
                await self._client.ask("load_markets")
            if not self._one_way:
                await self._set("set_position_mode", False, symbol)
                self._one_way = True
            mode = {"marginMode": self._margin_mode}
            match self._client.profile.margin_mode_by:
                case MarginModeBy.SYMBOL:
                    await self._set("set_margin_mode", self._margin_mode, symbol)
                    await self._set("set_leverage", int(self._leverage), symbol)
                case MarginModeBy.ACCOUNT:
                    await self._set("set_margin_mode", self._margin_mode)
                    await self._set("set_leverage", int(self._leverage), symbol)
                case MarginModeBy.ORDER:
                    await self._set("set_leverage", int(self._leverage), symbol, mode)
                case by:
                    assert_never(by)
            self._ready.add(symbol)

    def params(self, order: Order) -> dict[str, Any]:
        """What an order on a perpetual bears besides: what closes may never open."""
        by_order = self._client.profile.margin_mode_by is MarginModeBy.ORDER
        mode = {"marginMode": self._margin_mode} if by_order else {}
        return mode if order.role is Role.ENTRY else {**mode, "reduceOnly": True}

    async def _set(self, question: str, *about: Any) -> None:
        client = self._client
        if not client.can(question):
            return
        try:
            await client.ask(question, *about, urgency=Urgency.ENTRY)
        except Refused as error:
            unchanged = error.code in client.profile.unchanged or any(
                words in error.text for words in client.profile.unchanged_words
            )
            if not unchanged:
                raise Refused("swap_setup", f"{plain(self._leverage)}x {self._margin_mode}: {error.text}") from error

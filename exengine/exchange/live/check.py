"""Is a live account fit to be traded on: reachable, clock, key and its permissions, balances, rules, streams."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exengine.domain.errors import AuthFailed, KnownError, Refused, UserError
from exengine.domain.instrument import MarketType
from exengine.domain.money import plain
from exengine.exchange.live import holdings
from exengine.exchange.live.client import CcxtClient
from exengine.exchange.live.profiles import Grant
from exengine.exchange.market_rules import number

CLOCK_WARNS_MS = 1_000
STREAM_S = 4.0

MOST_BALANCES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was looked at, whether it is well, and in words."""

    about: str
    is_well: bool
    text: str
    warns: bool = False
    """Whether it is well enough to trade, and yet nothing to leave as it is."""


class _Warning(str):
    """What is well enough to trade and yet warned about."""


async def examine(
    client: CcxtClient,
    market_type: MarketType,
    *,
    stream_s: float = STREAM_S,
    tell: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    """Looks at one thing after the other, also where one fails; orders are not touched. `tell` hears of each at once.

    A stream that has not failed after `stream_s` is taken to be there.
    """

    async def streams(client: CcxtClient, market_type: MarketType) -> str:
        with suppress(TimeoutError):  # nothing happened in that time, and nothing failed
            await asyncio.wait_for(client.ask("watch_orders"), stream_s)
        return "own orders come by stream"

    looks: tuple[tuple[str, Callable[[CcxtClient, MarketType], Awaitable[str]]], ...] = (
        ("clock", _clock),
        ("key", _key),
        ("permissions", _permissions),
        ("rules", _rules),
        ("streams", streams),
    )
    findings = []
    for about, look in looks:
        try:
            text = await look(client, market_type)
            findings.append(Finding(about=about, is_well=True, text=text, warns=isinstance(text, _Warning)))
        except AuthFailed as error:
            text = f"the exchange does not take the key: {error}. Check it, its permissions and its list of addresses."
            findings.append(Finding(about=about, is_well=False, text=text))
        except (KnownError, Refused, UserError) as error:
            findings.append(Finding(about=about, is_well=False, text=str(error)))
        tell(findings[-1])
    return findings


async def _clock(client: CcxtClient, market_type: MarketType) -> str:
    """Reaches the exchange, and compares its clock with ours; the first question also makes the connection."""
    await client.ask("fetch_time")
    before_ms = time.time() * 1000
    theirs_ms = int(await client.ask("fetch_time"))
    after_ms = time.time() * 1000
    off_ms = int(theirs_ms - (before_ms + after_ms) / 2)
    text = f"answers in {after_ms - before_ms:.0f} ms, its clock is {off_ms:+,} ms from this machine’s"
    if abs(off_ms) > CLOCK_WARNS_MS:
        return _Warning(f"{text}; orders are signed by its clock, set this machine’s by NTP all the same")
    return text


async def _key(client: CcxtClient, market_type: MarketType) -> str:
    balance = await client.ask("fetch_balance")
    totals = {name: number(total) for name, total in (balance.get("total") or {}).items()}
    held = sorted(f"{_grouped(total)} {name}" for name, total in totals.items() if total)
    more = f" and {len(held) - MOST_BALANCES} more" if len(held) > MOST_BALANCES else ""
    return f"taken; it holds {', '.join(held[:MOST_BALANCES]) or 'nothing'}{more}"


async def _permissions(client: CcxtClient, market_type: MarketType) -> str:
    """Raises UserError for a key that may not trade; one that may withdraw is warned about (FAULTS 42)."""
    query = client.profile.permissions
    if query is None:
        return f"{client.profile.name} does not tell them: make sure that the key may trade and may not withdraw"
    answer = await client.ask(query.method)
    if not any(granted(answer, grant) for grant in query.trade[market_type]):
        raise UserError("The key may not trade.", remedy=f"Allow trading for it on {client.profile.name}.")
    if any(granted(answer, grant) for grant in query.withdraw):
        return _Warning("The key may withdraw, not only trade. ExEngine never needs that: make a key without it")
    return "may trade, may not withdraw"


def granted(answer: Any, grant: Grant) -> bool:
    """Whether an answer's value at the grant's path says yes, or has its word."""
    value = answer
    for step in grant.path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return False
    if grant.word is None:
        return value in (True, "true", 1, "1")
    words = value if isinstance(value, list) else str(value or "").split(",")
    return grant.word.lower() in (_word(word) for word in words)


def _word(word: Any) -> str:
    """A permission's name; some exchanges say besides whether it is for reading only, and then it is none."""
    if isinstance(word, dict):
        return "" if word.get("read_only") else str(word.get("name", "")).lower()
    return str(word).strip().lower()


async def _rules(client: CcxtClient, market_type: MarketType) -> str:
    count = len(await holdings.rules(client, market_type))
    return f"{count:,} symbols can be traded" if count != 1 else "1 symbol can be traded"


def _grouped(amount: Decimal) -> str:
    """All its digits, with thousands separated."""
    whole, point, rest = plain(amount).partition(".")
    return f"{int(whole):,}{point}{rest}"

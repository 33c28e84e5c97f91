"""Stories of the page `listener`: who may call, under what name, how often, and whose word is taken (SPEC §2.1)."""

import asyncio
import hashlib
import hmac
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import TypeVar

from exengine.bootstrap.listening import listener_settings
from exengine.settings.pages import Config
from tests.helpers.alerts import alert, text
from tests.helpers.setting_cases.case import Case
from tests.helpers.webhook import SECRET, TOKEN, Door, door

T = TypeVar("T")

PROXYS_WORD = {"X_Forwarded_For": "203.0.113.5"}
"""What a proxy on this machine says of whom it speaks for."""


def knocking(config: Config, ask: Callable[[Door], Awaitable[T]]) -> T:
    """What comes of `ask` at a listener as the configuration has it, but at any port that is free."""

    async def asked() -> T:
        made = listener_settings(config)
        async with door(**{each.name: getattr(made, each.name) for each in fields(made) if each.name != "port"}) as at:
            return await ask(at)

    return asyncio.run(asked())


def where_it_answers(config: Config) -> str:
    async def ask(at: Door) -> str:
        assert (await at.request("GET", "/health")).status == 200
        return at.root.rpartition(":")[0]

    return knocking(config, ask)


def called_by(name: str) -> Callable[[Config], int]:
    def story(config: Config) -> int:
        async def ask(at: Door) -> int:
            return (await at.post(text(alert()), Host=name)).status

        return knocking(config, ask)

    return story


def whom_the_proxy_speaks_for(config: Config) -> str:
    async def ask(at: Door) -> str:
        await at.post(text(alert()), **PROXYS_WORD)
        return at.intake.arrivals[0].source_address

    return knocking(config, ask)


def from_this_machine(config: Config) -> int:
    async def ask(at: Door) -> int:
        return (await at.post(text(alert()))).status

    return knocking(config, ask)


def a_burst_and_a_second_later(config: Config) -> list[int]:
    """How many of thirty alerts at once get through, and how many of thirty a second later."""

    async def ask(at: Door) -> list[int]:
        numbers, through = itertools.count(), []
        for _ in range(2):
            answers = [(await at.post(text(alert(timestamp=next(numbers))))).status for _ in range(30)]
            through.append(sum(status != 429 for status in answers))
            at.clock.now_ms += 1000
        return through

    return knocking(config, ask)


def each_proof(config: Config) -> list[int]:
    """What an alert is answered with its token, with its secret, with its signature."""

    async def ask(at: Door) -> list[int]:
        plain, secret = text(alert(timestamp=1)), text(alert(timestamp=2, secret=SECRET))
        sign = "sha256=" + hmac.new(SECRET.encode(), plain, hashlib.sha256).hexdigest()
        answers = [
            await at.post(plain, token=TOKEN),
            await at.post(secret, token=None),
            await at.post(plain, token=None, X_Signature=sign),
        ]
        return [answer.status // 100 for answer in answers]

    return knocking(config, ask)


CASES = [
    Case(path="listener.host", value="localhost", story=where_it_answers,
         plain="http://127.0.0.1", changed="http://localhost"),
    Case(path="listener.public_url", value="https://hooks.example.com", story=called_by("hooks.example.com"),
         plain=403, changed=202),
    Case(path="listener.allowed_hosts", value=["proxy.lan"], story=called_by("proxy.lan"), plain=403, changed=202),
    Case(path="listener.trusted_proxies", value=["127.0.0.1"], story=whom_the_proxy_speaks_for,
         plain="127.0.0.1", changed="203.0.113.5"),
    Case(path="listener.allowed_sources", value=["tradingview"], story=from_this_machine, plain=202, changed=403),
    Case(path="listener.rate_per_minute", value=300, story=a_burst_and_a_second_later, plain=[20, 1], changed=[20, 5]),
    Case(path="listener.burst", value=7, story=a_burst_and_a_second_later, plain=[20, 1], changed=[7, 1]),
    Case(path="security.webhook_auth", value="token", story=each_proof, plain=[2, 2, 2], changed=[2, 4, 4]),
    Case(path="security.webhook_auth", value="secret", story=each_proof, plain=[2, 2, 2], changed=[4, 2, 4]),
    Case(path="security.webhook_auth", value="hmac", story=each_proof, plain=[2, 2, 2], changed=[4, 4, 2]),
]  # fmt: skip

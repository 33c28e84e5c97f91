"""The webhook's listener starts, stops within bounds, and starts again."""

import asyncio

import aiohttp
import pytest

from exengine.domain.errors import UserError
from exengine.webhook.connection import Patience
from tests.helpers.alerts import alert, text
from tests.helpers.webhook import TOKEN, door


class TestStarting:
    async def test_a_taken_port_is_told_with_what_to_do(self) -> None:
        async with door() as at:
            with pytest.raises(UserError, match=r"Settings, Listener: Port"):
                async with door(port=at.address[1]):
                    pass

    async def test_it_starts_again_after_a_stop(self) -> None:
        async with door() as at:
            await at.listener.stop()
            await at.listener.start()
            reply = await at.session.post(f"{at.listener.url}/{TOKEN}", data=text(alert()))
            assert reply.status == 202

    async def test_the_url_is_without_the_token(self) -> None:
        async with door() as at:
            assert at.listener.url == f"http://127.0.0.1:{at.address[1]}/webhook"


class TestStopping:
    async def test_what_is_under_way_is_answered_first(self) -> None:
        async with door(patience=Patience(close_s=0.01)) as at:
            at.intake.may_answer.clear()
            posted = asyncio.ensure_future(at.post(text(alert())))
            await at.intake.asked.wait()
            asyncio.get_running_loop().call_later(0.2, at.intake.may_answer.set)
            await at.listener.stop()

            assert (await posted).status == 202

    async def test_it_does_not_wait_for_ever(self) -> None:
        async with door(patience=Patience(stop_s=0.05, close_s=0.05)) as at:
            at.intake.may_answer.clear()
            posted = asyncio.ensure_future(at.post(text(alert())))
            await at.intake.asked.wait()

            async with asyncio.timeout(5):
                await at.listener.stop()
            with pytest.raises(aiohttp.ClientError):
                await posted
            assert at.intake.arrivals == []

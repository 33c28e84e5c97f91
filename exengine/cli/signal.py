"""`exengine signal`: the alert text to paste into TradingView and the URL, or the alert itself, sent."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

from exengine.cli.options import folders
from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text
from exengine.domain.errors import UserError
from exengine.domain.instrument import Side
from exengine.domain.money import parse
from exengine.settings.file import read
from exengine.settings.pages import Config
from exengine.settings.secrets import KeyringStore, SecretOrigin, WebhookSecrets, webhook_secrets

ANSWER_S = 10
"""Longer than TradingView waits, so that a slow answer is seen as one."""


def run_signal(options: argparse.Namespace) -> int:
    """Prints the text and the URL; with `--send` posts it and prints the answer. 1 where it was not taken."""
    _, config_file = folders(options)
    config = read(config_file)
    url = options.url or _url(config, webhook_secrets([KeyringStore()]), local=options.send)
    body = _body(options)
    if not options.send:
        print(alert_text(body))
        print(f"\nWebhook URL: {url}")
        if not config.listener.public_url and not options.url:
            print("TradingView cannot reach this address: put a tunnel in front and set listener.public_url.")
        return 0
    return _send(url, body)


def _body(options: argparse.Namespace) -> dict[str, Any]:
    price = None
    if options.price is not None:
        try:
            price = parse(options.price)
        except ValueError:
            raise UserError(f"--price {options.price} is not a number.", remedy="Write it as 64000.5.") from None
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if options.send else None
    return alert_body(
        AlertTemplate(options.template),
        exchange=options.exchange or ("BINANCE" if options.send else None),
        symbol=options.symbol,
        timeframe=options.timeframe,
        price=price,
        side=Side(options.side),
        timestamp=stamp,
    )


def _url(config: Config, secrets: WebhookSecrets, *, local: bool) -> str:
    if secrets.origin is SecretOrigin.THIS_RUN:
        raise UserError(
            "The webhook's token is not kept on this machine, so only the running engine knows it.",
            safe="Nothing was sent.",
            remedy="Set EXENGINE_WEBHOOK_TOKEN for both, or give the URL that the engine printed with --url.",
        )
    page = config.listener
    if page.public_url and not local:
        return f"{page.public_url.rstrip('/')}/webhook/{secrets.token}"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(page.host, page.host)
    return f"http://{host}:{page.port}/webhook/{secrets.token}"


def _send(url: str, body: dict[str, Any]) -> int:
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            print(f"{answer.status} {answer.read().decode(errors='replace')}")
        return 0
    except urllib.error.HTTPError as error:
        print(f"{error.code} {error.read().decode(errors='replace')}".rstrip())
        return 1
    except (OSError, ValueError) as error:
        print(f"exengine: nobody answered ({getattr(error, 'reason', error)}). Is the engine running?", file=sys.stderr)
        return 1

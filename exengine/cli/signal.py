"""`exengine signal`: the alert text to paste into TradingView and the URL, or the alert itself, sent."""

import argparse
import hashlib
import hmac
import json
import ssl
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
from exengine.settings.program_pages import WebhookAuth
from exengine.settings.secret_places import secret_stores
from exengine.settings.secrets import SecretOrigin, WebhookSecrets, webhook_secrets

ANSWER_S = 10
"""Longer than TradingView waits, so that a slow answer is seen as one."""


def run_signal(options: argparse.Namespace) -> int:
    """Prints the text and the URL; with `--send` posts it and prints the answer. 1 where it was not taken."""
    data_dir, config_file = folders(options)
    config = read(config_file)
    if options.send:
        _require_values(options)
    secrets = webhook_secrets(secret_stores(data_dir))
    url = options.url or _url(config, secrets, local=options.send)
    body = _body(options, secrets.secret if config.security.webhook_auth is WebhookAuth.SECRET else None)
    if not options.send:
        print(alert_text(body))
        print(f"\nWebhook URL: {url}")
        if not config.listener.public_url and not options.url:
            print("TradingView cannot reach this address: put a tunnel in front and set listener.public_url.")
        return 0
    signing = secrets.secret if config.security.webhook_auth is WebhookAuth.HMAC else None
    return _send(url, body, signing, _believed("" if options.url else config.listener.tls_certificate))


def _require_values(options: argparse.Namespace) -> None:
    """What TradingView would fill in has to be given where no TradingView is there to do it."""
    missing = [f"--{name}" for name in ("symbol", "timeframe", "price") if getattr(options, name) is None]
    if missing:
        raise UserError(
            f"An alert that is sent from here needs {', '.join(missing)}.",
            safe="Nothing was sent.",
            remedy="As in --symbol BTCUSDT --timeframe 15 --price 64000.5.",
        )


def _body(options: argparse.Namespace, secret: str | None) -> dict[str, Any]:
    price = None
    if options.price is not None:
        try:
            price = parse(options.price)
        except ValueError:
            raise UserError(f"--price {options.price} is not a number.", remedy="Write it as 64000.5.") from None
    # To the millisecond: sent twice within a second, it is two alerts and no resend.
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds") if options.send else None
    return alert_body(
        AlertTemplate(options.template),
        secret=secret,
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
            "The webhook’s token is not kept on this machine, so only the running engine knows it.",
            safe="Nothing was sent.",
            remedy="Set EXENGINE_WEBHOOK_TOKEN for both, or give the URL that the engine printed with --url.",
        )
    page = config.listener
    scheme = "https" if page.tls_certificate else "http"
    here = f"{scheme}://{_host(page.host)}:{page.port}"
    base = page.public_url.rstrip("/") if page.public_url and not local else here
    path_is_read = config.security.webhook_auth in (WebhookAuth.TOKEN, WebhookAuth.ANY)
    return f"{base}/webhook/{secrets.token}" if path_is_read else f"{base}/webhook"


def _host(host: str) -> str:
    """Where this machine reaches what listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def _believed(own_certificate: str) -> ssl.SSLContext:
    """What the system believes; or the listener's own certificate alone, under any name: it is called by address."""
    context = ssl.create_default_context(cafile=own_certificate or None)
    if own_certificate:
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _send(url: str, body: dict[str, Any], signing: str | None, tls: ssl.SSLContext) -> int:
    """Posts the alert, signed where a secret for that is given, and prints what came back."""
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if signing is not None:
        headers["X-Signature"] = f"sha256={hmac.new(signing.encode(), data, hashlib.sha256).hexdigest()}"
    # No proxy of the environment stands between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        request = urllib.request.Request(url, data=data, headers=headers, method="POST")
        with opener.open(request, timeout=ANSWER_S) as answer:
            print(f"{answer.status} {answer.read().decode(errors='replace')}")
        return 0
    except urllib.error.HTTPError as error:
        print(f"{error.code} {error.read().decode(errors='replace')}".rstrip())
        return 1
    except (OSError, ValueError) as error:
        print(f"exengine: nobody answered ({getattr(error, 'reason', error)}). Is the engine running?", file=sys.stderr)
        return 1

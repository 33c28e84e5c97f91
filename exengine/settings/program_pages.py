"""How the program itself runs: listener, security, logging, window and simulation, with their defaults and limits."""

import base64
import ipaddress
import re
import zoneinfo
from difflib import get_close_matches
from enum import Enum
from pathlib import Path, PureWindowsPath
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from exengine.settings.fields import FOLDER, Amount, Flag, Location, Page, Whole, fault, refuse, setting

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII | re.I)
_SECRET_NAME = re.compile(r"secret:[a-z0-9][a-z0-9._-]{0,63}", re.ASCII | re.I)
_APPRISE_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.ASCII | re.I)


class WebhookAuth(Enum):
    """How a webhook proves where it comes from (§2.1)."""

    ANY = "any"
    TOKEN = "token"
    SECRET = "secret"
    HMAC = "hmac"


class TunnelProgram(Enum):
    """The tunnel that ExEngine runs itself to bring alerts in."""

    OFF = "off"
    AUTO = "auto"
    CLOUDFLARED = "cloudflared"
    NGROK = "ngrok"
    TAILSCALE = "tailscale"


class LogLevel(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class NoticeEvent(Enum):
    """What a notification can be about: the severities and categories of the log, and what a line may be about."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    WEBHOOK = "webhook"
    ORDER = "order"
    RISK = "risk"
    PRECISION = "precision"
    SYSTEM = "system"
    ORDER_REJECTED = "order_rejected"
    ACCOUNT_AWAY = "account_away"
    ACCOUNT_BACK = "account_back"
    KEY_REFUSED = "key_refused"
    GROUP_OPENED = "group_opened"
    GROUP_CLOSED = "group_closed"
    FROZEN = "frozen"
    OFFSET = "offset"
    PAUSED = "paused"
    RESUMED = "resumed"
    LIMIT_REACHED = "limit_reached"
    PANIC = "panic"
    QUEUE_FULL = "queue_full"
    STORE_TROUBLE = "store_trouble"
    STORE_BACK = "store_back"
    DEFECT = "defect"
    STARTED = "started"
    STOPPED = "stopped"
    DAILY_SUMMARY = "daily_summary"


class Theme(Enum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class PnlPalette(Enum):
    """The colours of profit and loss, in this order."""

    GREEN_RED = "green_red"
    RED_GREEN = "red_green"
    BLUE_ORANGE = "blue_orange"


class TimeShown(Enum):
    LOCAL = "local"
    UTC = "utc"
    EXCHANGE = "exchange"
    """As the exchanges keep theirs, which is in UTC with all six."""


class MarketSource(Enum):
    """Where a paper account's prices come from (§11)."""

    LIVE = "live"
    RECORDED = "recorded"
    GENERATED = "generated"


EXCHANGES = {
    "paper": "Paper", "binance": "Binance", "bybit": "Bybit", "okx": "OKX", "kucoin": "KuCoin", "mexc": "MEXC",
    "gate": "Gate",
}  # fmt: skip
"""The exchanges as they call themselves."""


class PublicExchange(Enum):
    """The exchanges whose public prices can be used."""

    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"
    KUCOIN = "kucoin"
    MEXC = "mexc"
    GATE = "gate"


def _timezone(name: str) -> str:
    if name in ("local", "UTC"):
        return name
    try:
        if name != "localtime":
            zoneinfo.ZoneInfo(name)
            return name
    except (OSError, ValueError, KeyError):  # a folder's name, a path out of the folder, no such zone
        pass
    near = get_close_matches(name, zoneinfo.available_timezones(), n=1)
    raise fault(
        "must be local, UTC or an IANA name such as Europe/Berlin" + (f"; did you mean {near[0]}?" if near else "")
    )


def _folder(text: str) -> str:
    try:
        absolute = Path(text).expanduser().is_absolute()
    except RuntimeError:  # ~somebody who is not there
        absolute = False
    if not absolute or "\0" in text:
        raise fault("must be a full path, or empty for the platform’s own folder")
    return text


def _file(text: str) -> str:
    if text and (not Path(text).is_absolute() or "\0" in text):
        raise fault("must be a full path to a file, or empty")
    return text


def _database_url(text: str) -> str:
    """Never repeats what was written: it may hold a password."""
    if not text:
        return text
    form = "must be empty, or as postgresql://user@host:5432/name"
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise fault(form) from None
    if url.password is not None:
        raise fault(
            "must not have the password in it: keep it as a secret, in the environment as EXENGINE_DATABASE_PASSWORD"
        )
    named = url.scheme == "postgresql" and url.hostname and url.username and port != 0
    if not named or not re.fullmatch(r"/[^/\s]+", url.path) or url.fragment or any(char.isspace() for char in text):
        raise fault(form)
    if url.query and not re.fullmatch(r"sslmode=(disable|allow|prefer|require|verify-ca|verify-full)", url.query):
        raise fault("may end in ?sslmode=require, verify-ca, verify-full or the like, and nothing else")
    return text


def _host(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        digits_only = text.replace(".", "").isdigit()
        if digits_only or not _HOST.fullmatch(text):
            raise fault("must be an IP address or a host name, without port or http://") from None
    return text


def _public_url(text: str) -> str:
    if not text:
        return text
    try:
        url = urlsplit(text)
        sound = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        raise fault("must be an address as https://hooks.example.com") from None
    if not sound or any(char.isspace() for char in text):
        raise fault("must be an address as https://hooks.example.com")
    if url.query or url.fragment or url.username or url.password:
        raise fault("must be the address alone: no user, password, query or fragment")
    return text


def _update_list(text: str) -> str:
    """Plain HTTP is for this machine alone: the signature tells who spoke, and not what was held back."""
    if text and urlsplit(_public_url(text)).scheme != "https" and urlsplit(text).hostname != "127.0.0.1":
        raise fault("must be an address as https://example.com/exengine.json")
    return text


def _update_key(text: str) -> str:
    try:
        is_key = not text or len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        is_key = False
    if not is_key:
        raise fault("must be an Ed25519 public key: 32 bytes in base64")
    return text


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        try:
            near = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise fault("must be an IP address or a network as 10.0.0.0/8") from None
        raise fault(f"is an address inside a network: write {near}, or the address without /{near.prefixlen}") from None
    return text


def _source(text: str) -> str:
    return "tradingview" if text.strip().lower() == "tradingview" else _network(text)


def _notice_url(text: str) -> str:
    if not _SECRET_NAME.fullmatch(text) and not _APPRISE_URL.fullmatch(text):
        raise fault("must be an apprise URL (service://…), or secret:name for one that is kept with the secrets")
    return text


def _unique_events(events: tuple[NoticeEvent, ...]) -> tuple[NoticeEvent, ...]:
    if len(set(events)) != len(events):
        raise fault("must name each event once")
    return events


def _price_file(text: str) -> str:
    path = PureWindowsPath(text)  # takes both kinds of slash
    if path.suffix.lower() not in (".csv", ".parquet") or not path.stem:
        raise fault("must be a CSV or Parquet file named by the symbol’s exchange id, as BTCUSDT.csv")
    return text


Network = Annotated[str, AfterValidator(_network)]
Source = Annotated[str, AfterValidator(_source)]
File = Annotated[str, AfterValidator(_file)]


class AppPage(Page):
    """The program as a whole."""

    timezone: Annotated[str, AfterValidator(_timezone)] = setting(
        "local", "Timezone", "Where the trader’s day begins: local, UTC or an IANA name"
    )
    data_dir: Annotated[str, AfterValidator(_folder)] | None = setting(
        None, "Data folder", "Where the store and the logs are kept", empty="the platform’s own folder", files=FOLDER
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = setting(
        "", "Database", "A Postgres database as postgresql://user@host/name", empty="a SQLite file in the data folder"
    )
    update_list: Annotated[str, AfterValidator(_update_list)] = setting(
        "",
        "New versions",
        "Where new versions are announced; asked once a day while no group is open",
        empty="never asked for",
    )
    update_key: Annotated[str, AfterValidator(_update_key)] = setting(
        "", "Makers’ key", "Ed25519, in base64: who must have signed what is announced", empty="none"
    )

    @model_validator(mode="after")
    def _announcements_are_signed(self) -> Self:
        if self.update_list and not self.update_key:
            refuse([(("update_key",), "must be there where update_list is: nothing else is believed")])
        return self


class ListenerPage(Page):
    """The webhook's address and limits (§2.1)."""

    host: Annotated[str, AfterValidator(_host)] = setting("127.0.0.1", "Address", "Where the webhook listens")
    port: Whole = setting(8787, "Port", "The port it listens at", ge=1, le=65535)
    public_url: Annotated[str, AfterValidator(_public_url)] = setting(
        "", "Public address", "What TradingView calls: the tunnel or proxy in front", empty="none yet"
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (), "Trusted proxies", "Proxies that are believed whom they speak for: addresses or networks", empty="none"
    )
    allowed_sources: tuple[Source, ...] = setting(
        (),
        "Allowed sources",
        "Only these may call: addresses, networks, or tradingview for its four servers",
        empty="all",
    )
    allowed_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = setting(
        (), "Allowed hosts", "Host names that are answered to besides the public address’s", empty="none"
    )
    rate_per_minute: Whole = setting(
        60, "Rate", "Requests that each address may send", unit="a minute", ge=1, le=100_000
    )
    burst: Whole = setting(20, "Burst", "Requests that may come at once", unit="requests", ge=1, le=100_000)
    tls_certificate: File = setting(
        "", "TLS certificate", "A PEM file with the certificate and its chain", empty="plain HTTP, as behind a tunnel",
        files="Certificates (*.pem *.crt);;All files (*)",
    )  # fmt: skip
    tls_key: File = setting(
        "", "TLS key", "A PEM file with its key, without a passphrase", empty="plain HTTP",
        files="Keys (*.pem *.key);;All files (*)",
    )  # fmt: skip

    tunnel: TunnelProgram = setting(
        "off", "Tunnel", "A program on this machine that ExEngine runs to bring alerts in, and trusts as a proxy",
        words={
            "off": "None, or one that I run myself", "auto": "The first that is installed",
            "cloudflared": "cloudflared (quick tunnel)", "ngrok": "ngrok", "tailscale": "Tailscale Funnel",
        },
    )  # fmt: skip

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if self.tunnel is not TunnelProgram.OFF and self.tls_certificate:
            refuse([(("tunnel",), "must be off where there is a TLS certificate: a tunnel calls plain HTTP")])
        if bool(self.tls_certificate) != bool(self.tls_key):
            missing = "tls_key" if self.tls_certificate else "tls_certificate"
            refuse([((missing,), "must be given where the other of certificate and key is")])
        return self


class SecurityPage(Page):
    """Who may send signals, and who may change settings."""

    webhook_auth: WebhookAuth = setting(
        "any", "Webhook proof", "What a webhook must carry",
        words={
            "any": "Token, secret or signature", "token": "Token in the path", "secret": "Secret in the body",
            "hmac": "HMAC signature",
        },
    )  # fmt: skip
    max_signal_age_seconds: Whole = setting(
        300, "Max signal age", "A signal with an older timestamp is not acted on; 0 is off", unit="s", ge=0
    )
    read_only: Flag = setting(False, "Read-only", "Nothing can be changed or traded in the window")
    app_lock: Flag = setting(
        False,
        "App lock",
        "The window asks for a passphrase: the owner’s opens all of it, the operator’s is for looking only",
    )
    auto_lock_minutes: Whole = setting(
        15, "Lock when idle", "With the app lock on, after so long without a key or the mouse; 0 is never",
        unit="min", ge=0, le=1440, needs=("app_lock", (True,)),
    )  # fmt: skip


class SignalsPage(Page):
    """Duplicates (§2.3)."""

    duplicate_window_seconds: Whole = setting(
        60, "Duplicate window", "How long the same alert text without a timestamp counts as sent again", unit="s", ge=0
    )


class LoggingPage(Page):
    """The log and what is kept of it."""

    level: LogLevel = setting("info", "Level", "The least severity that is written")
    keep_days: Whole = setting(30, "Keep", "Older logs are removed", unit="days", ge=1, le=3650)
    max_file_mb: Whole = setting(
        20, "Largest file", "A log file is continued in another at this size", unit="MB", ge=1, le=1024
    )
    webhook_replay: Flag = setting(True, "Replay webhooks", "A stored webhook can be sent again from the Signals dock")


class NotificationPage(Page):
    """One place where notifications go."""

    url: Annotated[str, AfterValidator(_notice_url)] = setting(
        ...,
        "Address",
        "An apprise URL; it is kept with the secrets, and secret:name stands here",
        secret=True,
        repr=False,
    )
    events: Annotated[tuple[NoticeEvent, ...], AfterValidator(_unique_events)] = setting(
        ("error", "warning"), "Events", "What is sent there", min_length=1
    )


class UiPage(Page):
    """The window's look."""

    theme: Theme = setting("system", "Theme", "Light, dark, or as the system has it")
    font_size: Whole = setting(10, "Font size", "Of the body text", unit="pt", ge=8, le=20)
    refresh_ms: Whole = setting(500, "Refresh", "How often changed rows are shown", unit="ms", ge=100, le=5000)
    pnl_palette: PnlPalette = setting(
        "green_red", "Profit and loss", "The colours of profit and of loss",
        words={"green_red": "Green and red", "red_green": "Red and green", "blue_orange": "Blue and orange"},
    )  # fmt: skip
    time: TimeShown = setting(
        "local",
        "Times",
        "Shown in the trader’s timezone, in UTC, or as the exchanges keep theirs",
        words={"utc": "UTC"},
    )


class SimPage(Page):
    """Prices and frictions of paper accounts (§11)."""

    slippage_percent: Amount = setting(
        "0", "Slippage", "How much worse than the last price a market order fills", unit="%", ge=0, lt=100
    )
    latency_ms: Whole = setting(
        0, "Latency", "How long an order takes to the paper exchange", unit="ms", ge=0, le=60_000
    )
    market: MarketSource = setting(
        "generated",
        "Prices",
        "From a public feed, from recorded files, or generated, which needs no network",
        words={"live": "Public feed", "recorded": "Recorded files", "generated": "Generated"},
    )
    exchange: PublicExchange = setting(
        "binance", "Feed", "Whose public prices are used where they come from a feed", words=EXCHANGES,
        needs=("market", ("live",)),
    )  # fmt: skip
    recorded: tuple[Annotated[str, AfterValidator(_price_file)], ...] = setting(
        (),
        "Recorded files",
        "Prices, one file a symbol; a relative path begins at the configuration’s folder",
        empty="none",
        needs=("market", ("recorded",)),
        files="Prices (*.csv *.parquet)",
    )
    speed: Amount = setting(
        "1", "Speed", "How much faster than they were recorded the prices come", unit="×", gt=0, le=100_000,
        needs=("market", ("recorded",)),
    )  # fmt: skip
    seed: Whole = setting(
        1, "Seed", "The generated market is the same for the same seed", ge=0, le=2**63 - 1,
        needs=("market", ("generated",)),
    )  # fmt: skip

    @model_validator(mode="after")
    def _files_are_there_and_apart(self) -> Self:
        faults: list[tuple[Location, str]] = []
        if self.market is MarketSource.RECORDED and not self.recorded:
            faults.append((("recorded",), 'must name at least one file where market is "recorded"'))
        seen: dict[str, int] = {}
        for index, name in enumerate(self.recorded):
            first = seen.setdefault(PureWindowsPath(name).stem, index)
            if first != index:
                faults.append((("recorded", index), f"feeds the same symbol as recorded[{first}]"))
        refuse(faults)
        return self

    def recorded_files(self, folder: Path) -> tuple[Path, ...]:
        """The recorded files, relative ones below `folder`, where the configuration lies."""
        return tuple(folder / Path(name).expanduser() for name in self.recorded)

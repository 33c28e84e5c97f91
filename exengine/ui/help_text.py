"""The pages of the help: those written by hand in resources/help, and those made from the program itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence

from exengine.assets import asset
from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text
from exengine.settings.pages import Config
from exengine.settings.reference import PageWords, SettingWords, reference
from exengine.ui.actions import Action, Registry
from exengine.ui.setup import Setup

SECTIONS: dict[str, dict[str, str]] = {
    "Begin": {
        "start": "Getting started",
        "install": "Install and start",
        "alerts": "The alert text",
        "tradingview": "Set up TradingView",
        "tunnels": "A public address",
        "accounts": "Exchange accounts",
    },
    "Trade": {
        "ladder": "Ladders and targets",
        "queue": "Pool and queue",
        "risk": "The risk engine",
        "paper": "Paper accounts",
        "replay": "Replay and tuning",
        "sweep": "Compare and sweep",
    },
    "Use": {
        "window": "The window",
        "keys": "Keyboard",
        "notices": "Notices",
        "lock": "App lock and operator",
    },
    "Operate": {
        "server": "Server without a window",
        "postgres": "Postgres",
        "security": "Security",
        "vault": "Keyring and vault",
        "backup": "Backup and moving",
        "upgrade": "Upgrade",
    },
    "Look up": {
        "settings": "Every setting",
        "trouble": "Troubleshooting",
        "messages": "Every message",
        "developers": "For developers",
    },
}
"""The pages by name, in the order of the list, below the names of their parts."""

PAGES: dict[str, str] = {name: title for section in SECTIONS.values() for name, title in section.items()}

OF_DOCKS = {
    "positions": "ladder",
    "queue": "queue",
    "risk": "risk",
    "signals": "alerts",
    "log": "trouble",
    "status": "accounts",
    "capital": "queue",
    "performance": "window",
}
"""Which page F1 opens for a dock; another dock's is the first page."""


EXAMPLE_SECRET = "YOUR-SECRET"
EXAMPLE_URL = "https://hooks.example.com/webhook/YOUR-TOKEN"
"""What the pages say in the place of the trader's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the pages are filled in with. The token is masked until the trader asks for it."""

    setup: Setup
    show_token: bool


def text_of(name: str, facts: Facts, registry: Registry) -> str:
    """A page as Markdown. Raises KeyError for an unknown one."""
    if name not in PAGES:
        raise KeyError(name)
    made: Mapping[str, Callable[[], str]] = {
        "settings": settings_page,
        "keys": lambda: keys_page(registry),
    }
    if name in made:
        return made[name]()
    return _filled_in(asset(f"help/{name}.md").read_text(encoding="utf-8"), facts)


def _filled_in(page: str, facts: Facts) -> str:
    """The trader's own text, address and token in the place of the examples that the page has in the repository."""
    setup = facts.setup
    url = setup.webhook_url if facts.show_token else setup.webhook_url_masked
    for example, own in (
        (alert_text(alert_body(AlertTemplate.STRATEGY, secret=EXAMPLE_SECRET)), setup.alert_text_masked),
        (EXAMPLE_URL, url),
        ("[Show the token](show:token)", f"[{'Hide' if facts.show_token else 'Show'} the token](show:token)"),
    ):
        page = page.replace(example, own)
    return page


def settings_page() -> str:
    """Every setting, from the pages of the configuration."""
    version = Config.model_fields["schema_version"]
    lines = [
        f"# {PAGES['settings']}",
        "",
        "As they stand in the settings and in `config.json`. Without a word in the file, the default holds.",
        "",
        f"- **{version.title}** `schema_version`: {version.description}, {version.default} now. ExEngine writes it, "
        "and carries an older file over, keeping a copy.",
    ]
    for page in reference():
        lines += ["", f"## {page.title}", "", f"{page.meaning}.", "", *_settings(page)]
    return "\n".join(lines)


def _settings(page: PageWords) -> list[str]:
    return [f"- **{setting.title}** `{setting.path}`: {setting.meaning}.{_more(setting)}" for setting in page.settings]


def _more(setting: SettingWords) -> str:
    said = []
    if setting.choices:
        said.append(f"One of: {', '.join(setting.choices)}.")
    is_number = setting.default.lstrip("-").replace(".", "", 1).isdigit()
    if setting.default:
        said.append(f"Default: {setting.default}{f' {setting.unit}' if setting.unit and is_number else ''}.")
    if setting.unit and not is_number and setting.unit not in setting.default.split():
        said.append(f"In {setting.unit}.")
    return "".join(f" {one}" for one in said)


def keys_page(registry: Registry) -> str:
    """Every key, from the registry of actions."""
    lines = [
        f"# {PAGES['keys']}",
        "",
        "No key alone trades: what places, cancels or closes wants Ctrl or Alt with it, and what costs money asks "
        "first. In every question Enter and Esc cancel.",
    ]
    by_place: dict[str, list[Action]] = {}
    for action in registry.specs:
        if action.key:
            by_place.setdefault(action.where, []).append(action)
    for where, actions in by_place.items():
        lines += ["", f"## {f'In {where.capitalize()}' if where else 'Everywhere'}", "", "| Key | Does |", "|---|---|"]
        lines += [f"| {shown_key(action)} | {registry.text(action)} |" for action in actions]
    lines += ["", "## In tables", "", "| Key | Does |", "|---|---|"]
    lines += [f"| {key} | {does} |" for key, does in IN_TABLES]
    return "\n".join(lines)


IN_TABLES = (
    ("Arrow keys", "go from row to row; right and left open and close a group"),
    ("Ctrl+C", "copies the chosen rows, with plain numbers"),
    ("Ctrl+A", "chooses all rows"),
    ("Home, End", "go to the first and the last row"),
    ("Menu, Shift+F10", "shows what can be done with the row, and sorts and chooses columns"),
)


def shown_key(action: Action) -> str:
    return QKeySequence(action.key).toString(QKeySequence.SequenceFormat.NativeText)

"""Every message that the program can show has its line in the help, and no line is of a message that it cannot show."""

import re
from pathlib import Path

import pytest

from exengine.domain.entry import Denial
from exengine.domain.group import CloseReason
from exengine.domain.reception import IntakeRefusal, Outcome
from tests.docs.messages import has_words, messages, setting_words, tidy
from tests.docs.sources import Sources, read_sources

HELP = Path(__file__).resolve().parent.parent.parent / "resources" / "help"

PASSED_ON = {
    "bootstrap/following.py:_without_urls": "tells which addresses were moved to the secrets: nothing is wrong",
    "bootstrap/notices.py:use": "the words of a UserError",
    "bootstrap/program.py:_open": "tells which addresses were moved to the secrets: nothing is wrong",
    "bootstrap/read_only.py:_refuse": "why the window only looks: words of AlreadyRuns",
    "cli/doctor.py:_live_account": "what `exchange.live.check` has found",
    "cli/doctor.py:_public": "what the public address's self test has found",
    "cli/doctor.py:check": "what was found, after a warning sign",
    "cli/guarded.py:access_to": "the words of a UserError",
    "cli/headless.py:_apply": "the words of a UserError, after the file's name",
    "bootstrap/replay_work.py:read_markets": "what the system or the reader of market rules says of a file",
    "bootstrap/updates.py:update_timer": "the words of a UserError",
    "bootstrap/workers.py:_told": "the words of another process",
    "cli/restore.py:_config_in": "the words of a ConfigError",
    "domain/entry.py:enter": "what the market rules made of a leg: told on the page about the ladder",
    "domain/signal_body.py": "what is wrong with a body that is no JSON: answered with 400, to its sender",
    "domain/signal_parse.py:wrong": "the words of a field's reader",
    "engine/desk.py:_done": "the words of the line that the decision left",
    "engine/engine.py:store_trouble": "the words of StoreFailed, or of what the database says",
    "exchange/live/client.py:_asked": "what the exchange or the network said",
    "exchange/live/faults.py:refused_row": "what the exchange said",
    "exchange/live/faults.py:told_apart": "what the exchange said",
    "exchange/live/holdings.py:report": "what the exchange said",
    "exchange/live/orders.py:_looked_up": "what the exchange said",
    "exchange/live/orders.py:_place_one": "what the exchange said",
    "exchange/live/orders.py:_trades": "what the exchange said",
    "exchange/live/orders.py:cancel": "what the exchange said",
    "exchange/markets/public_client.py:_ask": "what the exchange said",
    "notify/delivery.py:deliver": "what the service said",
    "settings/access.py:require": "why nothing may be changed: the app lock's or read-only's words",
    "settings/fields.py:refuse": "the words of a page's own check",
    "settings/secrets.py:_found": "what the keyring said",
    "settings/secrets.py:_within": "what the keyring said",
    "settings/secrets.py:probe": "what the keyring said",
    "engine/engine.py:_not_stored": "the words of StoreFailed, or of what the database says",
    "store/postgres_lane.py": "what the database said",
    "store/postgres_store.py": "what the database said",
    "store/postgres_writer.py": "what the database said",
    "store/sqlite_lane.py": "what the database said",
    "ui/alert_strip.py:_refresh": "the kind of the error whose words stand beside it",
    "ui/first_run.py:_tell": "what is wrong with a setting, or the words of a UserError",
    "ui/own_layouts.py:_refresh": "why a layout cannot have a name: what to do stands in the words",
    "ui/part_sheet.py:_show_fault": "words of `domain.by_hand.why_not_part`",
    "ui/performance.py:_make_view": "the words of an export that failed",
    "ui/performance_feed.py:_on_failed": "the error itself",
    "ui/remark.py:say": "what it is given to say",
    "ui/replay_entry.py:_on_keep": "why the settings are locked: the app lock's or read-only's words",
    "ui/replay_form.py:refresh": "what is wrong with a configuration: words of a ConfigError",
    "ui/settings_apply.py:_on_error": "the error itself",
    "ui/settings_cells.py:refresh": "what is wrong with a setting, after the row that it stands in",
    "ui/settings_keys.py:_failed": "the words of a UserError",
    "ui/table_tools.py:__init__": "the words of an export that failed",
    "ui/tunnel_sheet.py:_on_error": "the words of a UserError",
    "ui/secrets_sheet.py:keep": "what is wrong with a key: words of `cli.keys`",
    "webhook/listener.py:_not_json": "what is wrong with a body that is no JSON: answered with 400, to its sender",
}
"""Where the source only hands on words that were made elsewhere, and whose they are."""


@pytest.fixture(scope="module")
def sources() -> Sources:
    return read_sources()


@pytest.fixture(scope="module")
def entries() -> list[tuple[set[str], str]]:
    """The lines of the page: the messages that a line is about, and what it says of them."""
    text = (HELP / "messages.md").read_text(encoding="utf-8")
    items = re.findall(r"^- (\*\*.*?\*\*):(.*?)(?=^- |^#|\Z)", text, flags=re.DOTALL | re.MULTILINE)
    assert len(items) == len(re.findall(r"^- ", text, flags=re.MULTILINE))
    found = []
    for head, advice in items:
        names = re.findall(r"\*\*(.*?)\*\*", head, flags=re.DOTALL)
        found.append(({tidy(name.replace("\\", "")) for name in names}, advice))
    return found


def test_every_message_has_a_line_and_every_line_a_message(sources, entries):
    shown = {one.text: one.where for one in messages(sources) if has_words(one)}
    shown |= dict.fromkeys(map(tidy, setting_words(sources)), "settings/problems.py:_WORDS")
    told = set().union(*(names for names, _ in entries))
    without = sorted(f"{text}   ({where})" for text, where in shown.items() if text not in told)
    assert without == [], "add them to resources/help/messages.md, with what is safe and what to do"
    assert sorted(told - set(shown)) == [], "the program says these no more: take them out of the page"
    assert len(shown) > 400


def test_no_message_is_told_twice_and_each_line_says_what_to_do(entries):
    names = [name for some, _ in entries for name in some]
    twice = {name for name in names if names.count(name) > 1}
    # The same words are said of a field of an alert and of a setting.
    assert twice == {"must be one of …"}
    for some, advice in entries:
        assert len(advice.split()) >= 4, some


def test_what_only_hands_words_on_is_known(sources):
    places = {one.where for one in messages(sources) if not has_words(one)}
    known = {place for place in places if place in PASSED_ON or place.partition(":")[0] in PASSED_ON}
    assert sorted(places - known) == [], "say their words in the source, or why they have none of their own"
    used = known | {place.partition(":")[0] for place in known}
    assert sorted(set(PASSED_ON) - used) == []


WINDOW = """
class Line:
    def say(self, text: str, token: str = "error") -> None: ...

class Sheet:
    def __init__(self) -> None:
        self.fault, self.title = Line(), Title()
        self.refused = Label(look, token="warn")
        self.full = Label(look, "Full", token="warn")

    def show(self, error: Exception, why: str) -> None:
        self.title.say("Nothing is wrong with the title")
        self.fault.say(f"The thing failed: {error}")
        self.fault.say("It is done now", "success")
        self.fault.say(why or "There is a reason", "error" if why else "muted")
        self.fault.say(str(error))
        self.refused.setText("It was refused here")
        self.failed.emit(f"{error} came of it")

def words(kind: int) -> tuple[str, str]:
    if kind:
        return "Taken as it came", "success"
    return "It was not taken", "error"
"""


def test_what_the_window_says_in_an_errors_colour_is_seen(tmp_path):
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "made.py").write_text(WINDOW)
    (tmp_path / "told.py").write_text(
        "print(f'exengine: {name} is gone.', file=sys.stderr)\n"
        "print(f'  {done} of {all} done', file=sys.stderr)\n"
        "print('exengine is well')\n"
        "parser.error('--one needs --other')\n"
    )
    found = {one.text for one in messages(read_sources(tmp_path)) if has_words(one)}
    assert found == {
        "The thing failed: …",
        "There is a reason",
        "It was refused here",
        "… came of it",
        "It was not taken",
        "… is gone",
        "--one needs --other",
    }


NEW = """
def _open(name: str, kind: str) -> None:
    what = "is new" if kind else "is old"
    if name:
        raise UserError(f"The thing {name} {what}.", remedy="Look at it.")
    _say("Nothing of the kind was seen")

def _say(text: str) -> None:
    engine.note(Severity.WARNING, Category.SYSTEM, f"Something happened: {text}.")
    engine.note(Severity.INFO, Category.SYSTEM, "All is well.")
"""


def test_a_new_message_is_seen_wherever_its_words_come_from(tmp_path):
    (tmp_path / "made.py").write_text(
        "class Ours(UserError): ...\n\nraise Ours(TEXT)\n\nTEXT = 'Told by a constant'\n" + NEW
    )
    (tmp_path / "errors.py").write_text("class UserError(Exception): ...\n")
    found = {one.text for one in messages(read_sources(tmp_path))}
    assert found == {
        "Told by a constant",
        "The thing … is new",
        "The thing … is old",
        "Something happened: Nothing of the kind was seen",
    }


def test_every_reason_and_every_outcome_of_an_alert_is_told(sources):
    page = (HELP / "trouble.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z_]+)`", page))
    wanted = {one.value for one in Outcome} | {one.value for one in Denial if "." not in one.value}
    wanted |= {one.value for one in IntakeRefusal} | {one.value for one in CloseReason}
    wanted |= {"unknown_symbol", "unknown_exchange", "stale", "queue_full", "no_change", "replace_off"}
    assert sorted(wanted - told) == []


def test_where_a_message_names_a_setting_it_is_there_under_these_words():
    page = (HELP / "settings.md").read_text(encoding="utf-8")
    there = set()
    for part in page.split("\n## ")[1:]:
        title = part.splitlines()[0]
        there |= {f"{title}: {label}" for label in re.findall(r"^- \*\*(.*?)\*\*", part, flags=re.MULTILINE)}
    code = [path.read_text(encoding="utf-8") for path in (HELP.parent.parent / "exengine").rglob("*.py")]
    named = {name for text in code for name in re.findall(r"\(Settings, ([^)]+: [^)]+)\)", text)}
    assert len(named) >= 8
    assert sorted(named - there) == []

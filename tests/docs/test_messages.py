"""Every message that the program can show has its line in the help, and no line is of a message that it cannot show."""

import re
from pathlib import Path

import pytest

from exengine.domain.entry import Denial
from exengine.domain.group import CloseReason
from exengine.domain.reception import IntakeRefusal, Outcome
from tests.docs.messages import Sources, has_words, messages, read_sources, setting_words, tidy

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
    assert len(shown) > 300


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

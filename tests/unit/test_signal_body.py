"""An alert's text: what is no body, its digest, and how its secret is kept apart (SPEC §2.1, §2.3)."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from exengine.domain.signal_body import (
    BodyError,
    BodyProblem,
    body_secret,
    digest,
    parse_body,
    redacted,
    redacted_and_digest,
    scrubbed,
    scrubber,
)
from tests.helpers.alerts import alert, text


class TestBody:
    @pytest.mark.parametrize(
        ("raw", "problem"),
        [
            (b"", BodyProblem.NOT_JSON),
            (b"BTC buy", BodyProblem.NOT_JSON),
            (b'{"a": {{close}}}', BodyProblem.NOT_JSON),
            (b'{"a": "two\nlines"}', BodyProblem.NOT_JSON),
            (b'{"a": 1} {"a": 1}', BodyProblem.NOT_JSON),
            (b"\x00\xff\xfe\x80", BodyProblem.NOT_UTF8),
            (b"[]", BodyProblem.NOT_AN_OBJECT),
            (b'"text"', BodyProblem.NOT_AN_OBJECT),
            (b"NaN", BodyProblem.NOT_AN_OBJECT),
            (b"[" * 60_000, BodyProblem.TOO_DEEP),
            (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, BodyProblem.TOO_DEEP),
            (b'{"a":' * 33 + b"1" + b"}" * 33, BodyProblem.TOO_DEEP),
            (b'{"a": ' + b"9" * 60_000 + b"}", BodyProblem.HUGE_NUMBER),
            (b'{"a": 1e999999999999999999999}', BodyProblem.HUGE_NUMBER),
            (b'{"a": 1e-999999}', BodyProblem.HUGE_NUMBER),
            (b'{"tv": {"a": 1, "a": 2}}', BodyProblem.REPEATED_NAME),
            (b'{"a": "\\u0000"}', BodyProblem.BROKEN_TEXT),
            (b'{"a": ["\\ud800"]}', BodyProblem.BROKEN_TEXT),
            (b'{"\\udfff": 1}', BodyProblem.BROKEN_TEXT),
        ],
    )
    def test_what_is_no_body_is_refused_with_its_reason(self, raw: bytes, problem: BodyProblem) -> None:
        with pytest.raises(BodyError) as caught:
            parse_body(raw)
        assert caught.value.problem is problem

    def test_a_byte_order_mark_is_no_matter(self) -> None:
        assert parse_body(b'\xef\xbb\xbf{"a": 1}') == {"a": Decimal(1)}

    def test_32_levels_are_fine(self) -> None:
        assert parse_body(b'{"a":' * 32 + b"1" + b"}" * 32)

    def test_a_surrogate_pair_is_a_character(self) -> None:
        assert parse_body(b'{"a": "\\ud83d\\ude80"}') == {"a": "🚀"}


class TestDigestAndSecret:
    def test_the_digest_of_a_body_never_changes_between_versions(self) -> None:
        # Duplicates are known again after an update, too: this value is part of the stored data.
        body = parse_body(b'{"tv": {"x": 1.50, "s": "\\u00e9"}, "secret": "abc", "list": [true, null, -0.0]}')

        assert digest(body) == sha256('{"list":[true,null,0],"tv":{"s":"é","x":1.5}}'.encode()).hexdigest()

    def test_the_next_bar_has_another_digest(self) -> None:
        assert digest(parse_body(text(alert()))) != digest(parse_body(text(alert(timestamp="2026-01-01T00:15:00Z"))))

    def test_a_redacted_body_has_no_secret_at_any_depth(self) -> None:
        body = parse_body(text(alert(secret="zebra", tv__Secret="zebra", list=[{" SECRET ": {"a": "zebra"}}])))

        assert "zebra" not in redacted(body)
        assert json.loads(redacted(body))["tv"]["symbol"] == "BTCUSDT"

    def test_a_known_secret_is_blanked_wherever_it_stands(self) -> None:
        body = parse_body(text(alert(secret="zebra-4711", note="key zebra-4711!", list=[{"zebra-4711": "zebra-4711"}])))

        found = scrubbed(body, ("zebra-4711", ""))

        assert found["secret"] == "zebra-4711"
        assert found["note"] == "key [removed]!"
        assert "zebra" not in redacted(found)
        assert found["tv"] == body["tv"]

    @pytest.mark.parametrize("known", ["zebra-4711", "47114711", "4711.4711", "-4711e+12"])
    @pytest.mark.parametrize(
        "raw",
        [
            '{"note": "key zebra-4711!"}',
            '{"zebra-4711": 1, "secret": "zebra-4711"}',
            r'{"note": "\u007aebra-4711"}',
            '{"key": 47114711.0}',
            '{"key": 4.7114711e7}',
            '{"key": 47114711e-4}',
            '{"key": "nothing of it"}',
        ],
    )
    def test_it_is_found_just_so_where_it_is_only_looked_for_where_it_may_be(self, raw: str, known: str) -> None:
        body = parse_body(raw.encode())

        assert scrubber([known])(body, raw.encode()) == scrubbed(body, [known])

    @pytest.mark.parametrize(
        "body",
        [
            alert(),
            alert(secret="zebra"),
            alert(tv__Secret="zebra"),
            alert(note="no SECRET here", list=[{" SECRET ": 1}]),
            {"SECRET": "zebra"},
        ],
    )
    def test_what_is_kept_of_a_body_and_its_digest_are_the_same_made_together(self, body: dict[str, Any]) -> None:
        parsed = parse_body(text(body))

        assert redacted_and_digest(parsed) == (redacted(parsed), digest(parsed))

    def test_one_of_digits_is_blanked_where_it_is_written_as_a_number_too(self) -> None:
        body = parse_body(text(alert(key=47114711, list=[47114711.0, 147114711], tv__entry_price="50000")))

        found = scrubbed(body, ("47114711",))

        assert (found["key"], found["list"]) == ("[removed]", ["[removed]", 147114711])
        assert found["tv"] == body["tv"]

    @pytest.mark.parametrize(
        ("value", "secret"),
        [
            ("abc", "abc"),
            (" abc ", " abc "),
            (123, "123"),
            (None, None),
            ("", None),
            ("{{s}}", None),
            ([], ""),
            (True, ""),
        ],
    )
    def test_the_secret_that_a_body_gives(self, value: Any, secret: str | None) -> None:
        assert body_secret(parse_body(text({"secret": value}))) == secret
        assert body_secret({}) is None

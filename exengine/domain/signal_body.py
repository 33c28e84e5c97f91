"""An alert's text as plain values: strict JSON with decimals, its digest, its secret kept apart (SPEC §2.1, §2.3)."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from enum import Enum
from json.encoder import encode_basestring
from typing import TypeAlias, assert_never

Json: TypeAlias = "bool | str | Decimal | list[Json] | dict[str, Json] | None"
"""JSON as `parse_json` gives it: every number is a Decimal."""
Body: TypeAlias = "dict[str, Json]"

MAX_DEPTH = 32
"""Levels of nesting that a body may have; the contract needs two."""
MAX_NUMBER_CHARACTERS = 64
MAX_NUMBER_EXPONENT = 308
SECRET = "secret"
REMOVED = "[removed]"


class BodyProblem(Enum):
    """Why a text is no body of an alert; the value says it to the sender, and quotes nothing of the text."""

    NOT_JSON = "the text is not JSON; write the alert’s message as one JSON object"
    NOT_UTF8 = "the text is not UTF-8"
    NOT_AN_OBJECT = "the JSON is not an object; it must begin with { and end with }"
    TOO_DEEP = f"the JSON is nested more than {MAX_DEPTH} levels deep"
    HUGE_NUMBER = f"a number has more than {MAX_NUMBER_CHARACTERS} characters or an exponent that no price has"
    REPEATED_NAME = "a name occurs twice in one object, so that it is not clear which value is meant"
    BROKEN_TEXT = "a text holds a null character or half of a surrogate pair"


class BodyError(ValueError):
    """The text is no body of an alert; `problem` says why."""

    def __init__(self, problem: BodyProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


_ANY_SIZE = Context(prec=MAX_NUMBER_CHARACTERS, Emax=MAX_EMAX, Emin=MIN_EMIN)


def _number(token: str) -> Decimal:
    if len(token) > MAX_NUMBER_CHARACTERS:
        raise BodyError(BodyProblem.HUGE_NUMBER)
    try:
        value = Decimal(token)
    except InvalidOperation:
        raise BodyError(BodyProblem.HUGE_NUMBER) from None
    if abs(value.adjusted()) > MAX_NUMBER_EXPONENT:
        raise BodyError(BodyProblem.HUGE_NUMBER)
    return value


def _object(pairs: list[tuple[str, Json]]) -> Body:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BodyError(BodyProblem.REPEATED_NAME)
    return found


# Pine writes a missing number as a bare NaN, which counts as absent. An infinity stays a text that is no number.
_CONSTANTS: dict[str, Json] = {"NaN": None, "Infinity": "Infinity", "-Infinity": "-Infinity"}
_DECODER = json.JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=_CONSTANTS.__getitem__, object_pairs_hook=_object
)


def parse_json(raw: bytes | str) -> Json:
    """The JSON that `raw` spells, in UTF-8 where it is bytes, with every number a Decimal and a bare NaN as None.

    Raises BodyError, also for an object that has a name twice: which of two prices is meant cannot be known, so
    neither is traded.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
        value: Json = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise BodyError(BodyProblem.NOT_UTF8) from None
    except json.JSONDecodeError:
        raise BodyError(BodyProblem.NOT_JSON) from None
    except RecursionError:
        raise BodyError(BodyProblem.TOO_DEEP) from None
    # A text can only be broken by an escape, or where it was text before: bytes that hold one are no UTF-8. And what
    # has no more brackets than levels is not too deep.
    if "\\u" in text or isinstance(raw, str) or text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth_and_texts(value)
    return value


def parse_body(raw: bytes | str) -> Body:
    """The alert's body that `raw` spells: as `parse_json`, and it must be an object. Raises BodyError."""
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise BodyError(BodyProblem.NOT_AN_OBJECT)
    return value


def _check_depth_and_texts(value: Json) -> None:
    level, depth = [value], 0
    while level:
        below: list[Json] = []
        for one in level:
            match one:
                case str():
                    _check_text(one)
                case list():
                    below += one
                case dict():
                    below += one.values()
                    for name in one:
                        _check_text(name)
        depth += any(isinstance(one, list | dict) for one in level)
        if depth > MAX_DEPTH:
            raise BodyError(BodyProblem.TOO_DEEP)
        level = below


_BROKEN = re.compile("[\x00\ud800-\udfff]")


def _check_text(text: str) -> None:
    # JSON can spell both with \u escapes; no database takes them, and the sender would come again for ever.
    if _BROKEN.search(text):
        raise BodyError(BodyProblem.BROKEN_TEXT)


def number_text(value: Decimal) -> str:
    """`value` as canonical JSON: plain where that is short, no trailing zeros, equal text for equal numbers."""
    if value == 0:
        return "0"
    shortest = value.normalize(_ANY_SIZE)
    return format(shortest, "f") if abs(shortest.adjusted()) <= 40 else str(shortest)


def canonical(value: Json) -> str:
    """`value` as JSON text that is the same for equal values: keys sorted, no blanks, numbers by value."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{encode_basestring(name)}:{canonical(value[name])}" for name in sorted(value)]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([canonical(one) for one in value]) + "]"
    assert_never(value)


def digest(body: Body) -> str:
    """SHA-256 of the body as parsed, keys sorted and its secret left out: the key of a signal (SPEC §2.3)."""
    return _digest_of(canonical(_without_its_secret(body)))


def _without_its_secret(body: Body) -> Body:
    return {name: value for name, value in body.items() if name != SECRET}


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def redacted_and_digest(body: Body) -> tuple[str, str]:
    """`redacted` and `digest`, made in one go where the body has no secret: it then proved itself in another way."""
    text = canonical(body)
    if SECRET not in text.casefold():
        return text, _digest_of(text)
    return redacted(body), digest(body)


def redacted(body: Body) -> str:
    """The body as canonical JSON text `without_secrets`, as the signal log keeps it (SPEC §2.1)."""
    return canonical(without_secrets(body))


def without_secrets(body: Body) -> Body:
    """The body without whatever is named `secret`, in any case and at any depth."""
    return {name: _without_secrets(one) for name, one in body.items() if name.strip().casefold() != SECRET}


def _without_secrets(value: Json) -> Json:
    if isinstance(value, dict):
        return without_secrets(value)
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value


def scrubbed(body: Body, known: Iterable[str]) -> Body:
    """The body with each text of `known` blanked wherever it stands, its own `secret` field excepted.

    Where it is all digits, a number that spells it is blanked, too; one that only has it in the middle is a number.
    For a trader who wrote the secret into a message or under another name. Texts under 8 characters are not looked
    for: they would blank innocent words.
    """
    words = _words(known)
    return {
        _blanked_text(name, words): value if name == SECRET else _blanked(value, words) for name, value in body.items()
    }


def _words(known: Iterable[str]) -> list[str]:
    return [word for word in known if len(word) >= 8]


def scrubber(known: Iterable[str]) -> Callable[[Body, bytes], Body]:
    """As `scrubbed`, of a body and the bytes that it was read from.

    Where those have none of the texts and no escape that might spell one, nothing need be looked for. A text that could
    be a number is always looked for, since numbers can be spelled in many ways.
    """
    words = _words(known)
    spelled = [word.encode("utf-8", "surrogatepass") for word in words]
    may_be_numbers = any(set(word) <= _OF_NUMBERS for word in words)

    def scrub(body: Body, raw: bytes) -> Body:
        if may_be_numbers or b"\\" in raw or any(one in raw for one in spelled):
            return scrubbed(body, words)
        return body

    return scrub


_OF_NUMBERS = frozenset("0123456789.+-eE")


def _blanked(value: Json, words: list[str]) -> Json:
    match value:
        case str():
            return _blanked_text(value, words)
        case list():
            return [_blanked(one, words) for one in value]
        case dict():
            return {_blanked_text(name, words): _blanked(one, words) for name, one in value.items()}
        case Decimal() if number_text(value) in words:
            return REMOVED
        case _:
            return value


def _blanked_text(text: str, words: list[str]) -> str:
    for word in words:
        text = text.replace(word, REMOVED)
    return text


_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
_ABSENT_WORDS = frozenset({"", "nan", "na", "null"})
_LONGEST_ABSENT_WORD = 4


def is_absent(value: Json) -> bool:
    """Whether `value` counts as not given: null, empty, NaN, na, or a placeholder that TradingView left as it was."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= _LONGEST_ABSENT_WORD and text.casefold() in _ABSENT_WORDS:
            return True
        return text.startswith("{{") and _PLACEHOLDER.fullmatch(text) is not None
    return value is None


def body_secret(body: Body) -> str | None:
    """The secret that the body gives, None where it gives none. What is neither text nor number is "": never right."""
    match body.get(SECRET):
        case value if is_absent(value):
            return None
        case str() as text:
            return text
        case Decimal() as number:
            return number_text(number)
        case _:
            return ""

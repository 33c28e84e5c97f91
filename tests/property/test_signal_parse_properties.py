"""What holds of every body, however it was put together (SPEC §2.1, §2.3)."""

import contextlib
import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exengine.domain.signal import FieldError, Signal
from exengine.domain.signal_body import scrubbed
from exengine.domain.signal_parse import BodyError, digest, normal_timeframe, parse_body, parse_signal, redacted
from tests.helpers.alerts import alert, text
from tests.property.examples import examples

_TEXTS = st.text(max_size=20) | st.sampled_from(["NaN", "na", "", "{{close}}", "1e9", "-0", "0.00", "60", "D", "buy"])
_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS
_JSON = st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=8
)
_FIELDS = (
    "secret", "source", "timestamp", "tv", "risk", "strategy_info", "execution_intent", "tv__exchange", "tv__symbol",
    "tv__timeframe", "tv__action", "tv__entry_price", "tv__close_price", "tv__order_size", "tv__market_position",
    "tv__market_position_size", "strategy_info__trade_id", "execution_intent__side", "execution_intent__type",
)  # fmt: skip
_CHANGES = st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=4)


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """An alert with `changes`; whole sections are put in last, so that they may be of any kind."""
    return alert(**dict(sorted(changes.items(), key=lambda change: "__" not in change[0])))


def body_of(value: Any) -> dict[str, Any] | None:
    try:
        return parse_body(text(value))
    except BodyError:
        return None


@examples(400)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_a_body_error(raw: bytes) -> None:
    with contextlib.suppress(BodyError):
        assert isinstance(parse_body(raw), dict)


@examples(400)
@given(_JSON | _CHANGES.map(changed))
def test_any_json_is_a_signal_or_names_its_wrong_fields(value: Any) -> None:
    body = body_of(value)
    if body is None:
        return

    found = parse_signal(body)

    if isinstance(found, Signal):
        assert found.price > 0
        assert normal_timeframe(found.timeframe) == found.timeframe
        assert found.digest == digest(body)
    else:
        assert found
        assert all(isinstance(error, FieldError) for error in found)
        assert len({error.field for error in found}) == len(found)


@examples(400)
@given(_CHANGES.map(changed), _JSON, st.randoms(use_true_random=False))
def test_the_digest_knows_neither_the_order_of_keys_nor_the_secret(
    value: dict[str, Any], secret: Any, shuffle: random.Random
) -> None:
    def shuffled(one: Any) -> Any:
        if isinstance(one, dict):
            names = list(one)
            shuffle.shuffle(names)
            return {name: shuffled(one[name]) for name in names}
        return [shuffled(item) for item in one] if isinstance(one, list) else one

    first, second = body_of(value), body_of(shuffled(value | {"secret": secret}))
    if first is not None and second is not None:
        assert digest(first) == digest(second)


@examples(400)
@given(_CHANGES.map(changed))
def test_what_the_log_keeps_is_the_same_signal(value: dict[str, Any]) -> None:
    body = body_of(value)
    if body is None:
        return

    kept = redacted(body)

    assert json.loads(kept) is not None
    again = parse_body(kept)
    assert redacted(again) == kept
    assert digest(again) == digest(body)
    assert parse_signal(again) == parse_signal(body)


@examples(400)
@given(st.text(alphabet="0123456789smhdwSMHDW ", max_size=8))
def test_a_normalised_timeframe_is_normal(written: str) -> None:
    normal = normal_timeframe(written)
    assert normal is None or normal_timeframe(normal) == normal


_NUMERIC = frozenset("0123456789-eE")
_SECRETS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=8).filter(
    lambda text: not _NUMERIC.issuperset(text)
)  # which may be a part of any number


@examples(400)
@given(_SECRETS, _CHANGES.map(changed), st.text(max_size=5), st.text(max_size=5))
def test_a_known_secret_is_in_nothing_that_is_kept(secret: str, value: dict[str, Any], left: str, right: str) -> None:
    spread = value | {"secret": secret, "note": left + secret + right, f"{left}{secret}": [{"deep": secret}]}
    body = body_of(spread)
    if body is None:
        return

    clean = scrubbed(body, (secret,))

    assert secret not in redacted(clean)
    # It may be a part of what is said of the alert without any secret, as "timefram" is of a missing timeframe.
    assert secret not in repr(parse_signal(clean)) or secret in repr(parse_signal(body_of(value) or {}))

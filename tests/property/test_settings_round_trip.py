"""Whatever the trader sets is what is read back: save, then load, is identity."""

import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exengine.domain.settings import QueueRule
from exengine.settings import file
from exengine.settings.json_text import decode, parse
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError
from tests.property.examples import examples


def amounts(least: str, most: str) -> st.SearchStrategy[str]:
    return st.decimals(Decimal(least), Decimal(most), places=9).map(lambda value: format(value, "f"))


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of `fields`."""
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def ladders(draw: st.DrawFn) -> list[dict[str, str]]:
    cuts = sorted(draw(st.sets(st.integers(1, 9999), max_size=6)))
    weights = [Decimal(end - start) / 100 for start, end in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    return [
        {
            "gap_percent": draw(amounts("-99.9", "0")),
            "weight_percent": format(weight, "f"),
            "tp_percent": draw(amounts("0.000000001", "1000")),
        }
        for weight in weights
    ]


MULTIPLIERS = st.lists(amounts("0.001", "1000"), max_size=5)
GRID = some(
    max_pyramids=st.integers(5, 100),
    legs=ladders(),
    entry_order=st.sampled_from(["limit", "market"]),
    abandon_percent=st.none() | amounts("0.1", "1000"),
    pyramid_multipliers=MULTIPLIERS,
    post_only=st.booleans(),
)
PYRAMID_GRID = some(legs=ladders(), pyramid_multipliers=MULTIPLIERS)
SIZING = some(
    mode=st.sampled_from(["fixed", "percent_equity", "percent_free", "signal"]), amount=amounts("0.01", "100")
)
TARGETS = some(mode=st.sampled_from(["leg", "hybrid"]), stop_loss_percent=st.none() | amounts("0.1", "99"))
OVERRIDE = some(
    match=some(symbol=st.sampled_from(["*/USDT", "BTC/USDT"]), timeframe=st.sampled_from(["15", "1M", "30s"])),
    grid=GRID,
    sizing=SIZING,
    take_profit=TARGETS,
) | some(match=st.fixed_dictionaries({"pyramid": st.integers(0, 4)}), grid=PYRAMID_GRID, sizing=SIZING)
NAMES = st.text(min_size=1, max_size=20).filter(
    lambda name: name.isprintable() and name == name.strip() and "|" not in name
)
ACCOUNT = st.fixed_dictionaries(
    {"name": NAMES, "exchange": st.sampled_from(["paper", "binance", "okx"])},
    optional={
        "enabled": st.booleans(),
        "maker_fee_percent": st.none() | amounts("-1", "10"),
        "balances": st.none() | st.dictionaries(st.sampled_from(["USDT", "BTC", "ÅÄ"]), amounts("0", "1000000000000")),
    },
)
TREE = some(
    accounts=st.lists(ACCOUNT, max_size=4, unique_by=lambda account: account["name"].casefold()),
    grid=st.builds(lambda grid, rules: grid | {"overrides": rules}, GRID, st.lists(OVERRIDE, max_size=3)),
    sizing=SIZING,
    take_profit=TARGETS,
    queue=some(priority=st.lists(st.sampled_from([rule.value for rule in QueueRule]), unique=True)),
    pool=some(max_exposure=st.none() | amounts("0.000000001", "1000000000000000000")),
    notifications=st.lists(st.fixed_dictionaries({"url": st.just('json://localhost/ä\\"')}), max_size=2),
    sim=some(seed=st.integers(0, 2**63 - 1), speed=amounts("0.001", "100000")),
)


@examples(300)
@given(TREE)
def test_what_is_saved_is_loaded_exactly(tree: dict[str, Any]) -> None:
    config = file.checked(tree)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        file.save(path, config)
        loaded = file.load(path)
        text = path.read_bytes()
        file.save(path, loaded)
        assert path.read_bytes() == text
    assert loaded == config
    for before, after in zip(config.grid.overrides, loaded.grid.overrides, strict=True):
        assert before.grid.model_fields_set == after.grid.model_fields_set


def refusal(read: Callable[[], Config]) -> ConfigError | None:
    """What is said against it; None where it is accepted. Any other error fails the test."""
    try:
        read()
    except ConfigError as error:
        return error
    return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["grid", "legs", "overrides", "match", "risk", "accounts", "name", "ui", "", "\ud800"]), inner
    ),
    max_leaves=12,
)  # fmt: skip


@examples(200)
@given(st.dictionaries(st.sampled_from(["grid", "accounts", "risk", "ui", "sim", "x", "schema_version"]), JSON))
def test_whatever_is_in_it_a_tree_is_accepted_or_refused_in_words(tree: dict[str, Any]) -> None:
    refused = refusal(lambda: file.checked(tree))
    assert refused is None or (refused.problems and str(refused))


@examples(500)
@given(st.binary(max_size=200) | st.text(st.sampled_from('{}[]":, \n\\u09aeE.-+tN'), max_size=60).map(str.encode))
def test_whatever_bytes_there_are_they_are_read_or_refused_in_words(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_bytes(data)
        refused = refusal(lambda: file.load(path))
    assert refused is None or (refused.safe and refused.remedy)


def test_the_text_says_the_same_as_the_tree() -> None:
    config = file.checked({"sizing": {"amount": "0.10"}})
    tree, odd = parse(decode(file.text_of(config).encode()))
    assert odd == ()
    assert tree["sizing"]["amount"] == "0.1"
    assert file.checked(tree) == config

"""Market rules from what ccxt parses, and from a file of them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exengine.assets import asset
from exengine.domain import money
from exengine.domain.instrument import Instrument, MarketType
from exengine.exchange import market_rules

OKX_ADA = """{"ADA/USDT": {"id": "ADA-USDT", "base": "ADA", "quote": "USDT", "type": "spot",
 "precision": {"amount": "0.0001", "price": "0.0001"},
 "limits": {"amount": {"min": "10", "max": null}, "cost": {"min": null}}, "maker": "0.001", "taker": "0.0015"}}"""


def parsed(**changes: Any) -> dict[str, Any]:
    """BTC/USDT as ccxt parses Binance's: numbers are floats."""
    market: dict[str, Any] = {
        "id": "BTCUSDT",
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "type": "spot",
        "active": True,
        "linear": None,
        "inverse": None,
        "contractSize": None,
        "taker": 0.001,
        "maker": 0.001,
        "precision": {"amount": 1e-05, "price": 0.01, "base": 1e-08, "quote": 1e-08},
        "limits": {
            "leverage": {"min": None, "max": None},
            "amount": {"min": 1e-05, "max": 9000.0},
            "price": {"min": 0.01, "max": 1000000.0},
            "cost": {"min": 5.0, "max": 9000000.0},
        },
    }
    return market | changes


def rules(**changes: Any) -> Instrument:
    found = market_rules.instrument("BTC/USDT", parsed(**changes))
    assert found is not None
    return found


class TestWhatCcxtParses:
    def test_floats_become_the_decimals_that_the_exchange_wrote(self) -> None:
        assert rules() == Instrument(
            symbol="BTC/USDT",
            id="BTCUSDT",
            base="BTC",
            quote="USDT",
            type=MarketType.SPOT,
            tick_size=Decimal("0.01"),
            step_size=Decimal("0.00001"),
            min_qty=Decimal("0.00001"),
            max_qty=Decimal(9000),
            min_notional=Decimal(5),
            maker_fee=Decimal("0.001"),
            taker_fee=Decimal("0.001"),
        )

    def test_limits_that_are_not_listed_are_none(self) -> None:
        open_ended = rules(limits={"amount": {"min": None, "max": None}, "cost": {"min": None}})

        assert (open_ended.min_qty, open_ended.max_qty, open_ended.min_notional) == (0, None, 0)

    @pytest.mark.parametrize("limits", [None, {}, {"amount": None, "cost": None}])
    def test_limits_may_be_missing_altogether(self, limits: object) -> None:
        assert rules(limits=limits).max_qty is None

    def test_a_most_of_zero_is_no_limit(self) -> None:
        assert rules(limits={"amount": {"min": 0.0, "max": 0.0}}).max_qty is None

    def test_fees_that_are_not_listed_are_zero(self) -> None:
        assert rules(maker=None, taker=None).taker_fee == 0

    def test_a_contract_keeps_its_size(self) -> None:
        swap = market_rules.instrument(
            "BTC/USDT:USDT", parsed(type="swap", linear=True, inverse=False, contractSize=0.0001)
        )

        assert swap is not None
        assert (swap.type, swap.contract_size) == (MarketType.SWAP, Decimal("0.0001"))

    @pytest.mark.parametrize(
        "changes",
        [
            {"active": False},
            {"type": "future", "linear": True},
            {"type": "option"},
            {"type": "swap", "linear": False, "inverse": True},
            {"precision": {"amount": None, "price": 0.01}},
            {"precision": {"amount": 1e-05, "price": None}},
            {"precision": {"amount": 0.0, "price": 0.01}},
            {"precision": None},
        ],
    )
    def test_what_cannot_be_traded_by_rules_has_none(self, changes: dict[str, Any]) -> None:
        assert market_rules.instrument("BTC/USDT", parsed(**changes)) is None

    @pytest.mark.parametrize("nonsense", ["abc", float("nan"), float("inf"), True, [1]])
    def test_what_is_no_number_is_refused(self, nonsense: object) -> None:
        with pytest.raises(ValueError, match="not a number"):
            rules(taker=nonsense)

    @given(st.decimals(min_value="1e-12", max_value="1e9", places=8).filter(bool))
    def test_a_number_survives_ccxts_float(self, value: Decimal) -> None:
        if len(value.as_tuple().digits) <= 15:
            assert market_rules.number(float(value)) == value

    @given(st.decimals(min_value="1e-9", max_value="1e12", places=18))
    def test_a_number_is_written_without_exponent_and_without_idle_zeros(self, value: Decimal) -> None:
        found = market_rules.number(str(value))

        assert found is not None
        assert found == value
        assert found == found.to_integral_value() or found.as_tuple().digits[-1] != 0


class TestAFileOfRules:
    def test_limits_may_be_null(self) -> None:
        [ada] = market_rules.from_json(OKX_ADA)

        assert (ada.symbol, ada.id, ada.min_qty, ada.max_qty) == ("ADA/USDT", "ADA-USDT", Decimal(10), None)
        assert (ada.min_notional, ada.maker_fee, ada.taker_fee) == (0, Decimal("0.001"), Decimal("0.0015"))

    def test_numbers_may_be_numbers(self) -> None:
        text = OKX_ADA.replace('"0.0015"', "0.0015").replace('"10"', "10")

        assert market_rules.from_json(text) == market_rules.from_json(OKX_ADA)

    @pytest.mark.parametrize("text", ["[]", "{", '{"BTC/USDT": 1}', '{"BTC/USDT": {"id": "BTCUSDT", "base": "BTC"}}'])
    def test_what_is_no_such_file_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            market_rules.from_json(text)

    def test_the_generated_market_lists_ten_coins_spot_and_perpetual(self) -> None:
        text = asset("markets/generated.json").read_text(encoding="utf-8")
        found = market_rules.from_json(text)
        coins = {"BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BNB", "AVAX", "LINK"}

        assert {each.symbol for each in found if each.type is MarketType.SPOT} == {f"{coin}/USDT" for coin in coins}
        assert {each.symbol for each in found if each.type is MarketType.SWAP} == {
            f"{coin}/USDT:USDT" for coin in coins
        }
        for each in found:
            assert each.contract_size == 1
            assert each.id == each.base + "USDT"
            assert each.max_qty is not None
            assert 0 < each.min_qty == each.step_size < each.max_qty

    def test_what_is_written_is_read_as_the_same_rules(self) -> None:
        generated = market_rules.from_json(asset("markets/generated.json").read_text(encoding="utf-8"))
        rules = (*market_rules.from_json(OKX_ADA), *generated[1:])

        assert set(market_rules.from_json(market_rules.to_json(rules))) == set(rules)

    def test_a_leg_of_twenty_dollars_is_no_less_than_the_least_order(self) -> None:
        text = asset("markets/generated.json").read_text(encoding="utf-8")
        starts = {
            market["base"]: market["generated"]["start"]
            for market in json.loads(text).values()
            if "generated" in market
        }
        with money.arithmetic():
            for each in market_rules.from_json(text):
                price = Decimal(starts[each.base])
                assert each.on_tick(price)
                assert not each.is_below_minimum(price, each.qty_floor(Decimal(20) / price)), each.symbol

"""What an alert may say, and how each field is read (SPEC §2.1)."""

from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.instrument import Side
from exengine.domain.signal import Action, FieldError, Intent, Position, Signal, SizeUnit
from exengine.domain.signal_parse import (
    entry_risk_errors,
    normal_timeframe,
    parse_body,
    parse_signal,
)
from tests.helpers.alerts import ABSENT, alert, text


def signal(**changes: Any) -> Signal:
    found = parse_signal(parse_body(text(alert(**changes))))
    assert isinstance(found, Signal), found
    return found


def errors(body: Any) -> tuple[FieldError, ...]:
    found = parse_signal(parse_body(body if isinstance(body, bytes) else text(body)))
    assert not isinstance(found, Signal), "this was taken for a valid signal"
    return found


def wrong_fields(**changes: Any) -> list[str]:
    return [error.field for error in errors(alert(**changes))]


class TestTheWholeAlert:
    def test_every_field_is_read(self) -> None:
        found = signal(
            tv__market_position="Long",
            tv__market_position_size="2.5",
            tv__prev_market_position="flat",
            tv__prev_market_position_size=0,
            tv__order_size=0.01,
            tv__close_price=64001,
            strategy_info__alert_message="DCA entry 1",
            execution_intent={
                "type": "reverse",
                "side": "buy",
                "position_size_type": "quote",
                "precision_mode": "strict",
            },
            risk={"stop_loss": 61000, "take_profit": "70000.5", "max_slippage_percent": "0.2"},
        )

        assert found == Signal(
            exchange="BINANCE",
            symbol="BTCUSDT",
            timeframe="15m",
            action=Action.BUY,
            price=Decimal("64000.5"),
            price_field="tv.entry_price",
            intent=Intent.REVERSE,
            market_position=Position.LONG,
            market_position_size=Decimal("2.5"),
            prev_market_position=Position.FLAT,
            prev_market_position_size=Decimal(0),
            order_size=Decimal("0.01"),
            size_unit=SizeUnit.QUOTE,
            strict_precision=True,
            stop_loss=Decimal(61000),
            take_profit=Decimal("70000.5"),
            max_slippage_percent=Decimal("0.2"),
            trade_id="12345",
            alert_name="BTC long",
            alert_message="DCA entry 1",
            source="tradingview",
            timestamp_ms=1767225600000,
            digest=found.digest,
        )

    def test_the_required_fields_are_enough(self) -> None:
        found = parse_signal(
            parse_body(
                b'{"tv":{"exchange":"okx","symbol":" BTC-USDT ","timeframe":60,"action":"SHORT","close_price":0.1}}'
            )
        )

        assert isinstance(found, Signal)
        assert (found.exchange, found.symbol, found.timeframe, found.action) == ("OKX", "BTC-USDT", "1h", Action.SHORT)
        assert (found.price, found.price_field) == (Decimal("0.1"), "tv.close_price")
        assert found.intent is None
        assert found.size_unit is SizeUnit.CONTRACTS
        assert not found.strict_precision
        assert found.timestamp_ms is None

    def test_unknown_fields_are_no_matter(self) -> None:
        assert signal(whatever={"a": [1, 2]}, tv__plot_0="3").symbol == "BTCUSDT"

    def test_an_empty_object_names_all_that_is_required(self) -> None:
        assert [error.field for error in errors({})] == [
            "tv.exchange", "tv.symbol", "tv.timeframe", "tv.action", "tv.entry_price",
        ]  # fmt: skip

    def test_every_wrong_field_is_named_in_the_order_of_the_contract(self) -> None:
        assert wrong_fields(
            timestamp="yesterday",
            tv__symbol=ABSENT,
            tv__action="hold",
            tv__order_size="ten",
            execution_intent={"type": "jump", "side": "up"},
            risk={"stop_loss": 0, "max_slippage_percent": 100},
        ) == [
            "timestamp", "tv.symbol", "tv.action", "tv.order_size", "execution_intent.type", "execution_intent.side",
            "risk.stop_loss", "risk.max_slippage_percent",
        ]  # fmt: skip

    def test_no_message_quotes_what_was_sent(self) -> None:
        canary = "zebra-4711"
        body = dict.fromkeys(("source", "timestamp"), canary)
        fields = ("exchange", "symbol", "timeframe", "action", "market_position", "entry_price", "order_size")
        found = errors(body | {"tv": dict.fromkeys(fields, f"{canary} \n"), "risk": canary})

        assert len(found) > 5
        assert canary not in repr(found)


class TestAbsence:
    @pytest.mark.parametrize(
        "value", ["", "  ", None, "NaN", "nan", "na", "null", "{{strategy.order.price}}", " {{close}} "]
    )
    def test_what_counts_as_absent_is_not_there(self, value: Any) -> None:
        found = signal(tv__order_size=value, strategy_info__trade_id=value, risk={"stop_loss": value}, timestamp=value)

        assert (found.order_size, found.trade_id, found.stop_loss, found.timestamp_ms) == (None, None, None, None)
        assert wrong_fields(tv__exchange=value) == ["tv.exchange"]
        assert wrong_fields(tv__timeframe=value) == ["tv.timeframe"]
        assert wrong_fields(tv__action=value) == ["tv.action"]

    def test_a_bare_NaN_is_absent(self) -> None:
        raw = text(alert(tv__order_size=float("nan"), tv__entry_price=float("nan"), tv__close_price=5))
        assert b"NaN" in raw

        found = parse_signal(parse_body(raw))

        assert isinstance(found, Signal)
        assert (found.order_size, found.price) == (None, Decimal(5))

    def test_a_bare_infinity_is_no_number(self) -> None:
        assert wrong_fields(tv__entry_price=float("inf"), tv__order_size=float("-inf")) == [
            "tv.entry_price",
            "tv.order_size",
        ]

    def test_a_section_may_be_absent_as_any_field(self) -> None:
        assert signal(strategy_info=None, execution_intent="", risk="{{risk}}").intent is None

    @pytest.mark.parametrize("section", ["strategy_info", "execution_intent", "risk"])
    @pytest.mark.parametrize("value", ["text", 5, ["a"], True])
    def test_a_section_that_is_no_object_is_wrong_as_a_whole(self, section: str, value: Any) -> None:
        assert wrong_fields(**{section: value}) == [section]

    def test_where_tv_is_no_object_its_fields_are_not_called_missing(self) -> None:
        assert wrong_fields(tv=[1]) == ["tv"]

    def test_a_placeholder_inside_a_name_is_told_apart(self) -> None:
        assert wrong_fields(tv__symbol="BINANCE:{{ticker}}") == ["tv.symbol"]


class TestPrice:
    def test_the_order_price_comes_before_the_close(self) -> None:
        assert signal(tv__entry_price=5, tv__close_price=6).price == 5

    def test_the_close_counts_where_the_order_price_is_absent(self) -> None:
        found = signal(tv__entry_price="{{strategy.order.price}}", tv__close_price="6.50")

        assert (found.price, found.price_field) == (Decimal("6.50"), "tv.close_price")

    def test_with_neither_the_order_price_is_named(self) -> None:
        assert wrong_fields(tv__entry_price=ABSENT) == ["tv.entry_price"]

    def test_a_wrong_order_price_is_not_mended_by_a_good_close(self) -> None:
        assert wrong_fields(tv__entry_price="-5", tv__close_price=6) == ["tv.entry_price"]

    def test_a_wrong_close_is_wrong_beside_a_good_order_price(self) -> None:
        assert wrong_fields(tv__entry_price=5, tv__close_price="x") == ["tv.close_price"]

    def test_both_wrong_are_both_named(self) -> None:
        assert wrong_fields(tv__entry_price="x", tv__close_price=0) == ["tv.entry_price", "tv.close_price"]

    @pytest.mark.parametrize(
        "value", [0, "0.000", -1, "-0.1", "1,5", "1_000", "0x10", "٣", True, [1], {}, "1e40", "Infinity", "5 USD"]
    )
    def test_what_is_no_price_above_zero_is_wrong(self, value: Any) -> None:
        assert wrong_fields(tv__entry_price=value) == ["tv.entry_price"]

    @pytest.mark.parametrize(("value", "price"), [("+5", "5"), (" 5.10 ", "5.10"), ("1e3", "1000"), (".5", "0.5")])
    def test_numbers_may_come_as_text(self, value: Any, price: str) -> None:
        assert signal(tv__entry_price=value).price == Decimal(price)

    def test_a_price_keeps_every_digit_that_was_written(self) -> None:
        raw = text(alert()).replace(b'"64000.5"', b"0.1234567890123456789012345")

        found = parse_signal(parse_body(raw))

        assert isinstance(found, Signal)
        assert found.price == Decimal("0.1234567890123456789012345")

    def test_sizes_may_be_zero_and_not_below(self) -> None:
        names = ("order_size", "market_position_size", "prev_market_position_size")
        assert signal(**{f"tv__{name}": 0 for name in names}).order_size == 0
        assert set(wrong_fields(**{f"tv__{name}": "-0.1" for name in names})) == {f"tv.{name}" for name in names}

    @pytest.mark.parametrize("field", ["stop_loss", "take_profit"])
    def test_a_stop_or_target_is_a_price(self, field: str) -> None:
        assert wrong_fields(risk={field: 0}) == [f"risk.{field}"]


class TestSide:
    @pytest.mark.parametrize(
        ("action", "side"), [("buy", "buy"), ("long", "BUY"), ("sell", "short"), ("short", "sell")]
    )
    def test_a_side_that_mirrors_the_action_is_fine(self, action: str, side: str) -> None:
        assert signal(tv__action=action, execution_intent={"side": side}).action.value == action

    @pytest.mark.parametrize(("action", "side"), [("buy", "sell"), ("long", "short"), ("sell", "buy")])
    def test_a_contradiction_is_refused(self, action: str, side: str) -> None:
        assert wrong_fields(tv__action=action, execution_intent={"side": side}) == ["execution_intent.side"]


class TestTimeframe:
    @pytest.mark.parametrize(
        ("written", "normal"),
        [
            ("1", "1m"), ("3", "3m"), ("5", "5m"), ("15", "15m"), ("30", "30m"), ("45", "45m"), ("60", "1h"),
            ("120", "2h"), ("180", "3h"), ("240", "4h"), ("1440", "1d"), ("30S", "30s"), ("60S", "1m"), ("D", "1d"),
            ("1D", "1d"), ("W", "1w"), ("1W", "1w"), ("M", "1M"), ("1M", "1M"), ("3M", "3M"), ("15m", "15m"),
            ("1h", "1h"), ("4H", "4h"), ("1d", "1d"), ("1w", "1w"), ("30s", "30s"), (" 15 ", "15m"), ("10", "10m"),
            ("90", "90m"), ("24h", "1d"), ("7D", "7d"),
        ],
    )  # fmt: skip
    def test_an_interval_has_one_name(self, written: str, normal: str) -> None:
        assert normal_timeframe(written) == normal
        assert signal(tv__timeframe=written).timeframe == normal

    @pytest.mark.parametrize("written", ["7x", "0", "m", "S", "15M", "90S", "1441", "-5", "1.5", "1 h", "²", "99999D"])
    def test_what_is_no_interval_is_wrong(self, written: str) -> None:
        assert normal_timeframe(written) is None
        assert wrong_fields(tv__timeframe=written) == ["tv.timeframe"]

    def test_a_normal_name_stays_as_it_is(self) -> None:
        for name in ("1m", "3m", "5m", "15m", "30m", "45m", "1h", "2h", "3h", "4h", "1d", "1w", "1M", "30s"):
            assert normal_timeframe(name) == name


class TestTimestamp:
    @pytest.mark.parametrize(
        "written",
        [
            "2026-11-23T05:00:00Z", "2026-11-23T05:00:00", "2026-11-23 05:00", "2026-11-23T05:00:00.000Z",
            "2026-11-23T06:00:00+01:00", "2026-11-23T00:30:00-0430", "20261123T050000Z", "2026-11-23t05:00:00z",
            1795410000, "1795410000", 1795410000000, "1795410000000", 1795410000.0,
        ],
    )  # fmt: skip
    def test_one_moment_has_many_spellings(self, written: Any) -> None:
        assert signal(timestamp=written).timestamp_ms == 1795410000000

    @pytest.mark.parametrize(
        "written", ["2026-11-23T05:00:00.1239999Z", "1795410000.1239999", "2026-11-23T05:00:00,123"]
    )
    def test_fractions_count_to_the_millisecond(self, written: Any) -> None:
        assert signal(timestamp=written).timestamp_ms == 1795410000123

    @pytest.mark.parametrize(
        "written", ["yesterday", "2026-13-01T00:00:00Z", "05:00", -1, "1e30", True, [], "2026-11-23T05:00:00 UTC"]
    )
    def test_what_is_no_time_is_wrong(self, written: Any) -> None:
        assert wrong_fields(timestamp=written) == ["timestamp"]


class TestTexts:
    def test_a_number_may_stand_for_a_text(self) -> None:
        assert signal(strategy_info__trade_id=12345.0).trade_id == "12345"

    @pytest.mark.parametrize("value", [True, [], {"a": 1}])
    def test_anything_else_may_not(self, value: Any) -> None:
        assert wrong_fields(strategy_info__alert_name=value) == ["strategy_info.alert_name"]
        assert wrong_fields(tv__symbol=value) == ["tv.symbol"]

    @pytest.mark.parametrize("value", ["BTC USDT", "BTC\nUSDT", "B" * 65])
    def test_a_symbol_has_no_blanks_and_an_end(self, value: str) -> None:
        assert wrong_fields(tv__symbol=value) == ["tv.symbol"]

    @pytest.mark.parametrize(
        "value", ["BINANCE:BTCUSDT", "BTCUSDT.P", "BTC-USDT", "BTC_USDT", "BTC/USDT", "币安人生USDT"]
    )
    def test_a_symbol_is_kept_as_it_came(self, value: str) -> None:
        assert signal(tv__symbol=value).symbol == value


class TestEntryRisk:
    @pytest.mark.parametrize(
        ("side", "stop", "target", "wrong"),
        [
            (Side.LONG, 90, 110, []),
            (Side.LONG, 100, 100, ["risk.stop_loss", "risk.take_profit"]),
            (Side.LONG, 110, None, ["risk.stop_loss"]),
            (Side.LONG, None, 90, ["risk.take_profit"]),
            (Side.LONG, None, None, []),
            (Side.SHORT, 110, 90, []),
            (Side.SHORT, 90, 110, ["risk.stop_loss", "risk.take_profit"]),
        ],
    )
    def test_a_stop_and_a_target_lie_on_their_sides(self, side: Side, stop: Any, target: Any, wrong: list[str]) -> None:
        found = signal(tv__entry_price=100, risk={"stop_loss": stop, "take_profit": target})

        assert [error.field for error in entry_risk_errors(found, side)] == wrong

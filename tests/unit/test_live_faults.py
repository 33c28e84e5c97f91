"""ccxt's errors, told apart by what to do about them."""

import ccxt
import pytest

from exengine.domain.errors import (
    INSUFFICIENT_BALANCE,
    MARKET_HALTED,
    RULES_REFUSED,
    AuthFailed,
    Refused,
    Retryable,
    UnknownOutcome,
)
from exengine.exchange.live.client import asked_pause_s
from exengine.exchange.live.faults import (
    UNKNOWN_ORDER,
    AlreadyThere,
    Answer,
    ClockOff,
    codes_of,
    refused_row,
    told_apart,
)
from exengine.exchange.live.profiles import BINANCE, BYBIT, GATE, OKX, PROFILES, Profile


def meant(error: Exception, profile: Profile = BINANCE, *, changes: bool = True, status: int | None = 400) -> Exception:
    return told_apart(error, ccxt, profile, Answer(status=status), changes=changes)


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        (BINANCE, ccxt.RequestTimeout("binance POST https://api.binance.com/api/v3/order")),
        (BINANCE, ccxt.OperationFailed('binance {"code":-1006,"msg":"An unexpected response was received"}')),
        (BINANCE, ccxt.RequestTimeout('binance {"code":-1007,"msg":"Timeout waiting for response"}')),
        (BYBIT, ccxt.ExchangeError('bybit {"retCode":170007,"retMsg":"Timeout waiting for response"}')),
        (OKX, ccxt.ExchangeError('okx {"code":"50004","data":[],"msg":"API endpoint request timeout"}')),
        (BINANCE, ccxt.BadResponse("binance returned a non-JSON response")),
        (BINANCE, ccxt.NullResponse("binance null")),
        (BINANCE, ccxt.NetworkError("binance reset by peer")),
    ],
)
def test_where_nobody_knows_what_became_of_an_order_it_is_asked_for(profile: Profile, error: Exception):
    assert isinstance(meant(error, profile, status=None), UnknownOutcome)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_after_a_new_order_leaves_it_unknown_and_after_a_question_is_tried_again(status: int):
    error = ccxt.ExchangeNotAvailable(f"binance POST https://api.binance.com/api/v3/order {status} Bad Gateway <html>")
    assert isinstance(meant(error, status=status), UnknownOutcome)
    assert isinstance(meant(error, status=status, changes=False), Retryable)


def test_an_order_that_never_left_this_machine_is_simply_sent_again():
    error = ccxt.ExchangeNotAvailable("binance POST https://api.binance.com/api/v3/order")
    error.__cause__ = type("ClientConnectorError", (OSError,), {})()
    assert isinstance(meant(error, status=None), Retryable)


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        (BINANCE, ccxt.InvalidOrder('binance {"code":-2010,"msg":"Duplicate order sent."}')),
        (BYBIT, ccxt.InvalidOrder('bybit {"retCode":170141,"retMsg":"Duplicate clientOrderId."}')),
        (
            OKX,
            ccxt.InvalidOrder('okx {"code":"1","data":[{"sCode":"51016","sMsg":"ID already exists."}]}'),
        ),
    ],
)
def test_an_id_that_is_taken_is_our_own_order(profile: Profile, error: Exception):
    assert isinstance(meant(error, profile), AlreadyThere)


@pytest.mark.parametrize(
    ("profile", "error", "code"),
    [
        (BINANCE, ccxt.InsufficientFunds('binance {"code":-2010,"msg":"insufficient balance"}'), INSUFFICIENT_BALANCE),
        (OKX, ccxt.ExchangeError('okx {"code":"1","data":[{"sCode":"51008","sMsg":"no"}]}'), INSUFFICIENT_BALANCE),
        (BINANCE, ccxt.InvalidOrder('binance {"code":-1013,"msg":"Filter failure: LOT_SIZE"}'), RULES_REFUSED),
        (BINANCE, ccxt.BadRequest('binance {"code":-1111,"msg":"Parameter has too much precision."}'), RULES_REFUSED),
        (BINANCE, ccxt.OrderNotFound('binance {"code":-2013,"msg":"Order does not exist."}'), UNKNOWN_ORDER),
        (BINANCE, ccxt.BadSymbol('binance {"code":-1121,"msg":"Invalid symbol."}'), MARKET_HALTED),
        (BINANCE, ccxt.ExchangeNotAvailable("binance GET https://api.binance.com/api 403 Forbidden"), "http_403"),
        (BINANCE, ccxt.InvalidOrder('binance {"code":-2010,"msg":"Order would immediately match"}'), "-2010"),
    ],
)
def test_a_final_no_bears_a_code_of_ours_or_the_exchanges(profile: Profile, error: Exception, code: str):
    status = 403 if "403" in str(error) else 400
    found = meant(error, profile, status=status)
    assert isinstance(found, Refused)
    assert found.code == code


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        (BINANCE, ccxt.InvalidNonce('binance {"code":-1021,"msg":"Timestamp outside of the recvWindow."}')),
        (GATE, ccxt.AuthenticationError('gate {"label":"REQUEST_EXPIRED","message":"gap between request Timestamp"}')),
    ],
)
def test_a_wrong_clock_is_no_wrong_key(profile: Profile, error: Exception):
    assert isinstance(meant(error, profile), ClockOff)


def test_a_key_that_is_not_taken_is_told_as_that():
    error = ccxt.AuthenticationError('binance {"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}')
    assert isinstance(meant(error), AuthFailed)


@pytest.mark.parametrize(("status", "least_ms"), [(418, 120_000), (429, 5_000)])
def test_slow_down_and_a_ban_are_told_apart_by_the_status_alone(status: int, least_ms: int):
    found = meant(ccxt.DDoSProtection('binance {"code":-1003,"msg":"Too much request weight"}'), status=status)
    assert isinstance(found, Retryable)
    assert found.after_ms == least_ms


def test_how_long_to_wait_is_the_exchanges_own_word_where_it_gives_one():
    answer = Answer(status=429, retry_after_s=17)
    found = told_apart(ccxt.RateLimitExceeded("binance"), ccxt, BINANCE, answer, changes=True)
    assert isinstance(found, Retryable)
    assert found.after_ms == 17_000


def test_what_is_signed_never_stands_in_an_error():
    error = ccxt.RequestTimeout("binance POST https://api.binance.com/api/v3/order?timestamp=1&signature=abc123&x=1")
    assert "abc123" not in str(meant(error))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('binance {"code":-1021,"msg":"x"}', ["-1021"]),
        ('okx {"code":"1","data":[{"sCode":"51008"}]}', ["1", "51008"]),
        ("gate <html>", []),
        ("{broken", []),
        ("", []),
    ],
)
def test_codes_are_read_from_the_answer_in_the_error(text: str, codes: list[str]):
    assert list(codes_of(text)) == codes


@pytest.mark.parametrize(
    ("profile", "row", "code"),
    [
        (OKX, {"sCode": "51008", "sMsg": "Insufficient balance"}, INSUFFICIENT_BALANCE),
        (BYBIT, {"code": 170136, "msg": "Order quantity too small"}, RULES_REFUSED),
        (PROFILES["mexc"], {"code": 30002, "msg": "The minimum transaction volume"}, RULES_REFUSED),
        (GATE, {"succeeded": False, "label": "BALANCE_NOT_ENOUGH", "message": "no"}, INSUFFICIENT_BALANCE),
        (PROFILES["kucoin"], {"success": False, "failMsg": "no"}, "refused"),
    ],
)
def test_a_refused_row_of_a_batch_is_a_refusal_of_that_order_alone(profile: Profile, row: dict[str, object], code: str):
    refused = refused_row(profile, row)
    assert refused is not None
    assert refused.code == code


@pytest.mark.parametrize(
    ("profile", "row"),
    [
        (OKX, {"sCode": "0", "ordId": "1"}),
        (BYBIT, {"code": 0, "orderId": "1"}),
        (OKX, {"sCode": "51016", "sMsg": "dup"}),
    ],
)
def test_a_row_that_is_an_order_or_one_that_is_there_already_is_no_refusal(profile: Profile, row: dict[str, object]):
    assert refused_row(profile, row) is None


@pytest.mark.parametrize(
    ("profile", "headers", "pause_s"),
    [
        (BINANCE, {"Retry-After": "7"}, 7.0),
        (BYBIT, {"X-Bapi-Limit-Reset-Timestamp": "1000002500"}, 2.5),
        (BYBIT, {"X-Bapi-Limit-Reset-Timestamp": "999999000"}, 0.0),
        (GATE, {"X-Gate-RateLimit-Reset-Timestamp": "1000003"}, 3.0),
        (PROFILES["kucoin"], {"gw-ratelimit-reset": "1500"}, 1.5),
        (OKX, {"Content-Type": "application/json"}, None),
        (GATE, {"X-Gate-RateLimit-Reset-Timestamp": "soon"}, None),
    ],
)
def test_when_the_rate_limit_opens_is_read_from_each_exchanges_own_header(
    profile: Profile, headers: dict[str, str], pause_s: float | None
):
    assert asked_pause_s(profile, headers, now_ms=1_000_000_000) == pause_s

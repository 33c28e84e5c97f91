"""What the first-run wizard asks, and the configuration that comes of the answers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exengine.domain.instrument import MarketType
from exengine.settings.fields import spelled
from exengine.settings.file import checked
from exengine.settings.pages import AccountPage, Config, ExchangeName

PAPER_ACCOUNT = "paper"
"""The name of the account that is there where none is configured."""

WITH_TESTNET = frozenset({ExchangeName.BINANCE, ExchangeName.BYBIT, ExchangeName.OKX, ExchangeName.GATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """As the trader typed them; `configured` says what is wrong with them."""

    exchange: ExchangeName = ExchangeName.PAPER
    name: str = "main"
    market_type: MarketType = MarketType.SPOT
    testnet: bool = True
    paper_balance: str = "10000"
    """In USDT."""
    amount: str = "100"
    """Capital of a pyramid, in quote."""
    max_pyramids: str = "5"
    max_groups: str = "10"
    public_url: str = ""
    max_daily_loss: str = ""
    max_drawdown_percent: str = ""
    max_exposure: str = ""
    """The three of them: empty is off."""

    @property
    def is_paper(self) -> bool:
        return self.exchange is ExchangeName.PAPER

    @property
    def is_live(self) -> bool:
        """Whether it will trade real money."""
        return not self.is_paper and not (self.testnet and self.exchange in WITH_TESTNET)


def answers_of(config: Config) -> Answers:
    """What the wizard begins with: the configuration as it is."""
    paper = next((one for one in config.accounts if one.exchange is ExchangeName.PAPER), None)
    balances = paper.balances if paper is not None and paper.balances is not None else {"USDT": Decimal(10_000)}
    return Answers(
        paper_balance=spelled(balances.get("USDT", Decimal(0))),
        amount=spelled(config.sizing.amount),
        max_pyramids=str(config.grid.max_pyramids),
        max_groups=str(config.pool.max_open_groups),
        public_url=config.listener.public_url,
        max_daily_loss=_optional(config.safety.max_daily_loss),
        max_drawdown_percent=_optional(config.safety.max_drawdown_percent),
        max_exposure=_optional(config.pool.max_exposure),
    )


def configured(config: Config, answers: Answers) -> Config:
    """`config` with the answers in it, all else as it was. Raises ConfigError, with each problem at its place."""
    tree: dict[str, Any] = config.model_dump(mode="json")
    tree["accounts"] = _accounts(config, answers)
    tree["sizing"] |= {"mode": "fixed", "amount": answers.amount}
    tree["grid"]["max_pyramids"] = answers.max_pyramids
    tree["pool"] |= {"max_open_groups": answers.max_groups, "max_exposure": answers.max_exposure or None}
    tree["listener"]["public_url"] = answers.public_url.strip()
    tree["safety"] |= {
        "max_daily_loss": answers.max_daily_loss or None,
        "max_drawdown_percent": answers.max_drawdown_percent or None,
    }
    return checked(tree)


def account_page(answers: Answers) -> AccountPage:
    """The account that was described. Raises ConfigError."""
    tree = {"accounts": [_account(answers)]}
    return checked(tree).accounts[0]


def _account(answers: Answers) -> dict[str, Any]:
    return {
        "name": answers.name.strip(),
        "exchange": answers.exchange.value,
        "market_type": answers.market_type.value,
        "testnet": answers.testnet and answers.exchange in WITH_TESTNET,
    }


def _accounts(config: Config, answers: Answers) -> list[dict[str, Any]]:
    """Those that there are, and the new one. The paper account stays: groups may be open there."""
    there = [one.model_dump(mode="json") for one in config.accounts]
    if not any(one["exchange"] == ExchangeName.PAPER.value for one in there):
        there.append({"name": PAPER_ACCOUNT, "exchange": ExchangeName.PAPER.value})
    for one in there:
        if one["exchange"] == ExchangeName.PAPER.value:
            one["balances"] = {**(one.get("balances") or {}), "USDT": answers.paper_balance}
            break
    if answers.is_paper:
        return there
    new = _account(answers)
    same = next((one for one in there if one["name"] == new["name"]), None)
    if same is None:
        return [new, *there]
    return [{**one, **new} if one is same else one for one in there]


def _optional(value: Decimal | None) -> str:
    return "" if value is None else spelled(value)

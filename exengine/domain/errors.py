"""What can go wrong without being a bug, told apart by what is to be done about it.

`UserError` is shown to the trader and nothing else happens. `KnownError` is the environment: back off, ask, or find
out. `Refused` is a final no, ours or the exchange's. Whatever is none of these is a bug.
"""

INSUFFICIENT_BALANCE = "insufficient_balance"
"""The code of an order that the account cannot pay for, whatever an exchange calls it."""

RULES_REFUSED = "precision"
"""The code of an order that was refused for its tick, step, minimum or maximum: our market rules are old (§6)."""

MARKET_HALTED = "market_halted"
"""The code of an order for a symbol that the exchange does not trade, for now or for ever."""


class UserError(Exception):
    """Something that the trader can put right: shown as a message, never reported as a defect.

    `happened` says what it was, `safe` what is untouched by it, `remedy` what to do now.
    """

    def __init__(self, happened: str, *, safe: str = "", remedy: str = "") -> None:
        super().__init__(" ".join(part for part in (happened, safe, remedy) if part))
        self.happened = happened
        self.safe = safe
        self.remedy = remedy

    @property
    def brief(self) -> str:
        """What it was and what to do now, for where nothing else could have been touched."""
        return " ".join(part for part in (self.happened, self.remedy) if part)


class KnownError(Exception):
    """The environment failed in a way that the engine knows to handle."""


class Retryable(KnownError):
    """It may work later: back off, at least for `after_ms` where the other side named a time."""

    def __init__(self, text: str, *, after_ms: int | None = None) -> None:
        super().__init__(text)
        self.after_ms = after_ms


class AuthFailed(KnownError):
    """The account's key is not taken: that account stops, and the trader is asked; trying again would not help."""


class UnknownOutcome(KnownError):
    """The answer was lost: what became of the request is asked for by client order id, never sent again blindly."""


class Refused(Exception):
    """A final no. `code` is for the engine (SPEC §12's reasons, or the exchange's own), the text for people."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(text or code)
        self.code = code
        self.text = text or code

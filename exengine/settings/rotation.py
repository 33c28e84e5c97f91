"""A new webhook token or secret: the old one counts on until the trader has changed the alerts and retires it.

Alerts are edited at TradingView one by one. Were the old one refused at once, every alert not yet edited would be lost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum

from exengine.domain.errors import UserError
from exengine.settings.secret_places import no_place
from exengine.settings.secrets import (
    SECRET_NAME,
    SECRET_VARIABLE,
    TOKEN_NAME,
    TOKEN_VARIABLE,
    SecretStore,
    SecretStoreUnavailable,
    WebhookSecrets,
    new_secret,
    old_name,
)

_SAFE = "The old one counts on; nothing was changed."


class Proof(Enum):
    """Which of the two is made anew."""

    TOKEN = "token"
    SECRET = "secret"

    @property
    def entry(self) -> str:
        return TOKEN_NAME if self is Proof.TOKEN else SECRET_NAME

    @property
    def variable(self) -> str:
        return TOKEN_VARIABLE if self is Proof.TOKEN else SECRET_VARIABLE


def rotate(
    stores: Sequence[SecretStore],
    secrets: WebhookSecrets,
    proof: Proof,
    *,
    environ: Mapping[str, str],
    make: Callable[[], str] = new_secret,
) -> WebhookSecrets:
    """A new `proof`, kept; the one of `secrets` is the old one from now on. What was older still counts no more.

    Blocks while a store is asked. Raises UserError where the environment sets it, or no place can keep it.
    """
    if environ.get(proof.variable, "").strip():
        raise UserError(
            f"The webhook’s {proof.value} comes from {proof.variable}.",
            safe=_SAFE,
            remedy=f"Set {proof.variable} to a new one and start again, or leave it out to have ExEngine keep its own.",
        )
    new, old = make(), secrets.token if proof is Proof.TOKEN else secrets.secret
    reasons = []
    for store in stores:
        try:
            store.set(old_name(proof.entry), old)  # first, so that a crash in between leaves both valid
            store.set(proof.entry, new)
            if store.get(proof.entry) != new:
                raise SecretStoreUnavailable(f"the {store.origin.value} does not keep what it is given")
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
            continue
        if proof is Proof.TOKEN:
            return replace(secrets, token=new, old_token=old, persistent=True, origin=store.origin)
        return replace(secrets, secret=new, old_secret=old)
    raise no_place(f"A new webhook {proof.value} cannot be kept", reasons)


def retire(stores: Sequence[SecretStore], secrets: WebhookSecrets, proof: Proof) -> WebhookSecrets:
    """The old `proof` counts no more. Raises UserError where a store that may have it cannot be asked."""
    reasons = []
    for store in stores:
        try:
            store.delete(old_name(proof.entry))
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
    if len(reasons) == len(stores):
        raise no_place(f"The old webhook {proof.value} cannot be forgotten", reasons)
    return replace(secrets, old_token="") if proof is Proof.TOKEN else replace(secrets, old_secret="")

"""The kinds of value that a setting can have, read exactly as the trader spelled them."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from exengine.domain import money

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_Common = TypeVar("_Common", bound="Page")

Location = tuple[str | int, ...]
"""Where a setting is, as keys and list indices."""


class Page(BaseModel):
    """A part of the configuration: unknown keys are refused, and what was read cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    def given(self) -> dict[str, Any]:
        """The values that were written, and are no defaults."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    def over(self, common: _Common) -> _Common:
        """`common` with the values that were written here: what an override makes of it."""
        return common.model_copy(update=self.given())


def fault(text: str) -> PydanticCustomError:
    """The refusal of one value; `text` continues the name of the setting: "must be …"."""
    return PydanticCustomError("setting", "{text}", {"text": text})


def refuse(faults: Sequence[tuple[Location, str]]) -> None:
    """Raises all of `faults`, each at its own place below the page that is being checked; without any, nothing."""
    if faults:
        details = [InitErrorDetails(type=fault(text), loc=place, input=None) for place, text in faults]
        raise ValidationError.from_exception_data("configuration", details)


def read_decimal(value: object) -> Decimal:
    """The decimal that text or a number spells. A float is refused: it has already lost what was written."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise fault("must be a number, or a number as text")
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        comma = ", with a point for the decimals" if "," in text else ""
        raise fault(f"must be a number{comma}")
    try:
        number = money.parse(text)
    except (ValueError, ArithmeticError):
        raise fault("must be a number of a size that money can have") from None
    if number != Decimal(text):
        raise fault("has more digits than can be reckoned with (50)")
    return number


def read_whole(value: object) -> int:
    """The whole number that text or a number spells."""
    number = read_decimal(value)
    if number != number.to_integral_value():
        raise fault("must be a whole number")
    return int(number)


def spelled(value: Decimal) -> str:
    """`value` to its last digit, without exponent or trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


Amount = Annotated[Decimal, BeforeValidator(read_decimal), PlainSerializer(spelled, return_type=str, when_used="json")]
Positive = Annotated[Amount, Field(gt=0)]
NotNegative = Annotated[Amount, Field(ge=0)]
Whole = Annotated[int, BeforeValidator(read_whole)]
Flag = Annotated[bool, Strict()]

FOLDER = "folder"
"""In the place of kinds of files: a setting names a folder."""


def setting(
    default: Any,
    title: str,
    meaning: str,
    *,
    unit: str = "",
    empty: str = "",
    part: str = "",
    words: Mapping[str, str] | None = None,
    secret: bool = False,
    unit_by: tuple[str, Mapping[str, str]] | None = None,
    needs: tuple[str, tuple[Any, ...]] | None = None,
    files: str = "",
    **limits: Any,
) -> Any:
    """A setting with what dialog and help say of it: its name, its meaning in one line, its unit. `...` is required.

    `empty` is what it means to leave it empty ("off", "no limit"), `words` the choices as a person says them, by value,
    `part` the section of a long page. `unit_by` names another setting of the page that decides the unit, with the unit
    by its value; `needs` one without which this setting has no effect, with the values that give it one. `files` says
    which files can be chosen for it, as "Prices (*.csv *.parquet)", or `FOLDER`.
    """
    said: dict[str, Any] = {
        "unit": unit, "empty": empty, "part": part, "words": dict(words or {}), "secret": secret,
        "files": files,
        "unit_by": [unit_by[0], dict(unit_by[1])] if unit_by else None,
        "needs": [needs[0], *needs[1]] if needs else None,
    }  # fmt: skip
    extra = {name: value for name, value in said.items() if value}
    return Field(default, title=title, description=meaning, json_schema_extra=extra or None, **limits)

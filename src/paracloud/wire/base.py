"""What all models of the API share: unknown fields are refused, and no text holds what a database cannot store."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

FIRST_YEAR, LAST_YEAR = 2000, 2200
LONGEST_NAME = 100


def _storable(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("text must be Unicode without the character NUL")
        return value
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _name(value: str) -> str:
    if not 0 < len(value) <= LONGEST_NAME or not value.isprintable() or value != value.strip():
        raise ValueError(f"write 1 to {LONGEST_NAME} printable characters, without blanks at either end")
    return value


def _sensible(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"a time lies in the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


Text = Annotated[str, BeforeValidator(_storable), Field(max_length=200)]
Name = Annotated[
    str,
    BeforeValidator(_storable),
    AfterValidator(_name),
    Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_NAME}),
]
"""Of a queue, a quality of service, a payment: what people compare by eye, so nothing in it is unseen."""
LongText = Annotated[str, BeforeValidator(_storable)]
Texts = Annotated[dict[str, str], BeforeValidator(_storable)]
Time = Annotated[AwareDatetime, AfterValidator(_sensible)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MoneyModel(Model):
    """A decimal string with six decimals, and its currency."""

    amount: str = Field(examples=["12.500000"])
    currency: str = Field(examples=["CNY"])

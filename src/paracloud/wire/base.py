"""What all models of the API share: unknown fields are refused, and no text holds what a database cannot store."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

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

    @model_validator(mode="before")
    @classmethod
    def _no_boolean_is_a_number(cls, data: Any) -> Any:  # noqa: ANN401  # any JSON value
        """Where a number is wanted it is read as its word, and refused as any other."""
        if not isinstance(data, dict):
            return data
        words = {name: str(it) for name, it in data.items() if isinstance(it, bool) and _is_number(cls, name)}
        return {**data, **words} if words else data


@cache
def _is_number(model: type[BaseModel], name: str) -> bool:
    field = model.model_fields.get(name)
    kinds = set() if field is None else {field.annotation, *get_args(field.annotation)}
    return bool(kinds & {int, float}) and bool not in kinds


class MoneyModel(Model):
    """A decimal string with six decimals, and its currency."""

    amount: str = Field(examples=["12.500000"])
    currency: str = Field(examples=["CNY"])

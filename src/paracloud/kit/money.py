"""Money is an integer count of micro-units (a millionth of a yuan) and its currency. No float comes near it."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Self

MICRO = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An exact amount, also negative. Arithmetic only within one currency (ValueError otherwise)."""

    micro: int
    currency: str = "CNY"

    def __post_init__(self) -> None:
        if type(self.micro) is not int:
            raise TypeError(f"an amount is an int of micro-units, not {type(self.micro).__name__}")

    @classmethod
    def parse(cls, text: str, currency: str = "CNY") -> Self:
        """Read a decimal string such as "12.50"; ValueError for anything else, or for more than six decimals."""
        number = Decimal(text) if _is_plain(text) else None
        if number is None:
            raise ValueError(f"{text!r} is not an amount; write it as digits with at most six decimals, such as 12.50")
        return cls(int(number * MICRO), currency)

    def __str__(self) -> str:
        sign, rest = ("-" if self.micro < 0 else ""), abs(self.micro)
        return f"{sign}{rest // MICRO}.{rest % MICRO:06d}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.micro + self._same(other).micro, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.micro - self._same(other).micro, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.micro, self.currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other


def round_half_even(value: Decimal) -> int:
    """The one rounding of the house: to the nearest integer, a tie to the even one."""
    return int(value.to_integral_value(rounding=ROUND_HALF_EVEN))


def _is_plain(text: str) -> bool:
    whole, dot, decimals = text.removeprefix("-").partition(".")
    return (
        whole.isascii()
        and whole.isdigit()
        and len(whole) <= 13
        and (not dot or (decimals.isascii() and decimals.isdigit() and len(decimals) <= 6))
    )

"""What billing calculates with: a fraction, made of whole and decimal numbers only. Pure."""

from decimal import Decimal
from fractions import Fraction


def exact(amount: int | Decimal | Fraction) -> Fraction:
    """TypeError for a binary fraction, a truth value or a text, which come in where a caller's types are not checked;
    ValueError for what is negative or no number."""
    if type(amount) not in (int, Decimal, Fraction):
        raise TypeError(f"an amount is an int, a Decimal or a Fraction, not {type(amount).__name__}")
    if isinstance(amount, Decimal) and not amount.is_finite():
        raise ValueError(f"{amount} is no amount")
    if amount < 0:
        raise ValueError("usage is never negative")
    return Fraction(amount)

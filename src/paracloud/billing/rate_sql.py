"""`billing.rate` for a whole table at once, as SQL that DuckDB understands: whole numbers only, so the sums are the
ledger's own to the micro-unit.

A price in billionths of a unit (nine decimals) times seconds is exact; 3,600,000 of that is a micro-unit. The remainder
decides the one rounding, half to even.
"""

BILLIONTHS_IN_A_MICRO_HOUR = 3_600_000
WHOLE = 10_000


def billionths_sql(price: str) -> str:
    """A DECIMAL(18, 9) price as the whole number that `amount_sql` takes."""
    return f"(({price})::DECIMAL(38, 9) * 1000000000)::HUGEINT"


def amount_sql(core_seconds: str, gpu_seconds: str, core_hour: str, card_hour: str, others: str = "0") -> str:
    """Micro-units, as HUGEINT. Arguments are SQL expressions: whole seconds, and prices in billionths. Where the price
    of a card is NULL, what used none is rated all the same, and what used any is NULL: unrated. So is what had any of
    the `others`: how many licences, GPU slices or other resources it had, of which no price of hours says anything."""
    if others != "0":
        amount = amount_sql(core_seconds, gpu_seconds, core_hour, card_hour)
        return f"CASE WHEN ({others}) = 0 THEN {amount} END"
    cards = f"CASE WHEN ({gpu_seconds}) = 0 THEN 0 ELSE ({gpu_seconds})::HUGEINT * ({card_hour}) END"
    worth = f"({core_seconds})::HUGEINT * ({core_hour}) + {cards}"
    return _half_even(worth, BILLIONTHS_IN_A_MICRO_HOUR)


def share_sql(amount_micro: str, basis_points: str) -> str:
    """The centre's part of an amount, rounded the same way."""
    return _half_even(f"({amount_micro})::HUGEINT * ({basis_points})", WHOLE)


def _half_even(dividend: str, divisor: int) -> str:
    """For a dividend that is not negative."""
    quotient, twice = f"(({dividend}) // {divisor})", f"(2 * (({dividend}) % {divisor}))"
    up = f"{twice} > {divisor} OR ({twice} = {divisor} AND {quotient} % 2 = 1)"
    return f"({quotient} + CASE WHEN {up} THEN 1 ELSE 0 END)"

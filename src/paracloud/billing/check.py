"""The daily check: what must be true of the ledger, and every place where it is not, by name and amount."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.truths import TRUTHS
from paracloud.billing.truths_of_charges import TRUTHS_OF_CHARGES


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` names the rule, `where` the thing, `micro` by how much it is off (a count for rules that count)."""

    what: str
    where: str
    micro: int


RULES: Mapping[str, str] = {**TRUTHS, **TRUTHS_OF_CHARGES}


async def check(session: AsyncSession) -> list[Difference]:
    """Empty when all is well. Reads only."""
    found: list[Difference] = []
    for what, query in RULES.items():
        rows = (await session.execute(text(query))).all()
        found += [Difference(what, str(where), int(micro)) for where, micro in rows]
    return found


async def ledger_sum_micro(session: AsyncSession) -> int:
    """The sum of all postings there are: zero, or the ledger is broken."""
    return int((await session.execute(text("SELECT coalesce(sum(micro), 0) FROM ledger_postings"))).scalar_one())

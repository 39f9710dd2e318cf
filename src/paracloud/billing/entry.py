"""Double entry: what an entry is, and which accounts there are.

Accounts by code: `wallet:<project>` and `held:<project>` (liabilities to a project), `payable:<centre>` (liability to a
centre), `revenue:<product line>` (income), `cash:top-ups` (what came in, negative), `expense:duplicates` (what the
platform pays for, negative), `expense:credits` (trial credits that were used, negative), `package:<id>` (liability:
what an hours package was sold for and has not given yet), `payable:owner/<project>` (liability to who lends nodes of
its own), `expense:adjustments` (what was given in goodwill, negative, less what was taken besides all charges),
`expense:settlement` (what contracts with centres add to their shares for a month), `cash:paid-out` (what centres were
paid, positive, less what they paid back). A credit is positive; the postings of an entry sum to zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from paracloud.kit.identifiers import CentreName, PackageId, ProjectId

REMEMBERED = 4096
"""Codes of the projects at work: writing a UUID as text takes longer than to look it up."""
CASH = "cash:top-ups"
DUPLICATES = "expense:duplicates"
CREDITS = "expense:credits"
SETTLEMENT = "expense:settlement"
ADJUSTMENTS = "expense:adjustments"
PAID_OUT = "cash:paid-out"
EXPIRED = "revenue:expired"
DEDICATED = "revenue:dedicated"
PAYABLE = "payable"
OWNERS = f"{PAYABLE}:owner/"
SHARED = "charges:"
"""How the key of an entry begins that is the sum of several charges."""
ADJUSTMENT, PACKAGE_END = "adjustment", "package-end"
"""Kinds of entries that persons make with a reason."""
WALLET, HELD, PACKAGE = "wallet", "held", "package"


@dataclass(frozen=True, slots=True)
class Entry:
    """`postings` maps account codes to micro-units; zeros are left out. `key` makes it happen once."""

    key: str
    kind: str
    currency: str
    postings: Mapping[str, int]
    reference: str | None = None
    reason: str | None = None
    person: str | None = None

    def __post_init__(self) -> None:
        if sum(self.postings.values()) != 0:
            raise ValueError(f"the postings of {self.key} do not sum to zero: {dict(self.postings)}")


def merged(entries: Iterable[Entry]) -> list[Entry]:
    """Those with one key as one entry, with the sums of their postings."""
    found: dict[str, Entry] = {}
    sums: dict[str, dict[str, int]] = {}
    for one in entries:
        postings = sums.setdefault(found.setdefault(one.key, one).key, {})
        for code, micro in one.postings.items():
            postings[code] = postings.get(code, 0) + micro
    return [replace(one, postings=sums[key]) for key, one in found.items()]


@lru_cache(REMEMBERED)
def wallet(project: ProjectId) -> str:
    return f"{WALLET}:{project}"


@lru_cache(REMEMBERED)
def held(project: ProjectId) -> str:
    return f"{HELD}:{project}"


def payable(centre: CentreName) -> str:
    return f"{PAYABLE}:{centre}"


def owner(project: ProjectId) -> str:
    return f"{OWNERS}{project}"


def package(id_: PackageId) -> str:
    return f"{PACKAGE}:{id_}"


def revenue(product_line: str) -> str:
    return f"revenue:{product_line}"

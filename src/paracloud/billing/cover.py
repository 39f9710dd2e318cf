"""What is paid in advance: packages of core-hours or card-hours, and trial credits, earliest expiry first. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil

from paracloud.kit.identifiers import CentreName, PackageId, ProjectId


class Unit(StrEnum):
    """What a package counts: seconds of a core or of a card, or micro-units of the currency (a trial credit)."""

    CORE_SECOND = "core-second"
    CARD_SECOND = "card-second"
    MICRO = "micro"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a usage or a job is, as packages ask for it."""

    product_line: str
    centre: CentreName
    queue: str


@dataclass(frozen=True, slots=True)
class Package:
    """`reserved` units wait for jobs that were accepted already, and stay theirs when it expires. `price_micro` is what
    all its units were sold for: none for a credit. A place that is None is any."""

    id: PackageId
    project: ProjectId
    name: str
    unit: Unit
    total: int
    used: int
    reserved: int
    price_micro: int
    currency: str
    product_line: str | None
    centre: CentreName | None
    queue: str | None
    valid_from: datetime
    expires_at: datetime
    closed_at: datetime | None = None

    @property
    def free(self) -> int:
        return self.total - self.used - self.reserved

    def is_open_at(self, when: datetime) -> bool:
        return self.closed_at is None and self.valid_from <= when < self.expires_at

    def is_for(self, place: Place) -> bool:
        wanted = (self.product_line, self.centre, self.queue)
        return all(own is None or own == of for own, of in zip(wanted, _fields(place), strict=True))

    def worth(self, units: int) -> int:
        """The part of the price, in micro-units, that the first `units` are: the last unit brings exactly the rest."""
        return round(Fraction(self.price_micro * units, self.total))


@dataclass(frozen=True, slots=True)
class Given:
    """What a package has given for one usage, less what it took back: units, and the part of its price that they are.
    Since the usage was last reversed."""

    unit: Unit
    units: int
    micro: int


@dataclass(frozen=True, slots=True)
class Use:
    """Units taken from a package (negative: given back), and the part of its price that its account gives or takes back
    for them. A package that is closed takes nothing back: the wallet gets that part, `returned_micro` (negative)."""

    package: PackageId
    unit: Unit
    units: int
    micro: int
    returned_micro: int = 0

    @property
    def worth_micro(self) -> int:
        return self.micro + self.returned_micro


class Shelf:
    """The packages of the projects in a batch, and what is reserved of them by reference; each taking is remembered."""

    def __init__(self, packages: Iterable[Package], reserved: Mapping[tuple[str, PackageId], int]) -> None:
        ordered = sorted(packages, key=lambda one: (one.expires_at, one.id))
        self.packages = {one.id: one for one in ordered}
        self.reserved = dict(reserved)
        self.changed: set[PackageId] = set()
        self.touched: set[tuple[str, PackageId]] = set()

    def take(
        self, project: ProjectId, unit: Unit, wanted: int, place: Place, at: datetime, reference: str | None
    ) -> list[Use]:
        """Up to `wanted` units: first what is reserved for the reference, then what is free in packages that are valid
        at that time."""
        uses = []
        for package in self._of(project, unit, place):
            if wanted and (kept := min(wanted, self._reserved(reference, package.id))):
                self._reserve(reference or "", package.id, -kept)
                uses.append(self._use(package.id, kept))
                wanted -= kept
        for package in self._of(project, unit, place):
            found = self.packages[package.id]
            if wanted and found.is_open_at(at) and (free := min(wanted, found.free)):
                uses.append(self._use(package.id, free))
                wanted -= free
        return uses

    def give_back(self, given: Mapping[PackageId, Given], units: int, unit: Unit) -> list[Use]:
        """Latest expiry first. Of a closed package that part of what it gave comes back which these units are, so that
        all of them bring all of it."""
        uses = []
        for id_ in reversed([one for one in self.packages if one in given and given[one].unit is unit]):
            had = given[id_]
            if back := min(units, had.units):
                is_open = self.packages[id_].closed_at is None
                uses.append(self._use(id_, -back) if is_open else _returned(id_, had, back))
                units -= back
        return uses

    def reserve(self, project: ProjectId, unit: Unit, wanted: int, place: Place, at: datetime, reference: str) -> int:
        """How many of the units wanted are reserved now."""
        done = 0
        for package in self._of(project, unit, place):
            if package.is_open_at(at) and (free := min(wanted - done, package.free)):
                self._reserve(reference, package.id, free)
                done += free
        return done

    def worth_reserved(self, reference: str) -> int:
        """The most, in micro-units, that what is reserved for it can be of the packages' prices."""
        kept = ((self.packages[id_], units) for (of, id_), units in self.reserved.items() if of == reference)
        return sum(ceil(Fraction(one.price_micro * units, one.total)) for one, units in kept)

    def release(self, reference: str) -> None:
        """All that is still reserved for it."""
        for of, package in list(self.reserved):
            if of == reference and self.reserved[of, package]:
                self._reserve(reference, package, -self.reserved[of, package])

    def lay_out(self, reference: str, place: Place) -> Mapping[PackageId, int]:
        """Free for a moment what is reserved for it in packages that are for this place: how many units of each."""
        own = {id_: units for (of, id_), units in self.reserved.items() if of == reference and units}
        found = {id_: units for id_, units in own.items() if self.packages[id_].is_for(place)}
        for id_, units in found.items():
            self._reserve(reference, id_, -units)
        return found

    def take_up(self, reference: str, laid_out: Mapping[PackageId, int]) -> None:
        """So that no less of each is reserved than before."""
        for id_, units in laid_out.items():
            if (lacking := units - self.reserved[reference, id_]) > 0:
                self._reserve(reference, id_, lacking)

    def _of(self, project: ProjectId, unit: Unit, place: Place) -> Sequence[Package]:
        return [
            one for one in self.packages.values() if (one.project, one.unit) == (project, unit) and one.is_for(place)
        ]

    def _reserved(self, reference: str | None, package: PackageId) -> int:
        return self.reserved.get((reference, package), 0) if reference is not None else 0

    def _reserve(self, reference: str, package: PackageId, units: int) -> None:
        found = self.packages[package]
        self.packages[package] = replace(found, reserved=found.reserved + units)
        self.reserved[reference, package] = self.reserved.get((reference, package), 0) + units
        self.changed.add(package)
        self.touched.add((reference, package))

    def _use(self, package: PackageId, units: int) -> Use:
        found = self.packages[package]
        after = self.packages[package] = replace(found, used=found.used + units)
        self.changed.add(package)
        return Use(package, found.unit, units, after.worth(after.used) - found.worth(found.used))


def _returned(package: PackageId, had: Given, units: int) -> Use:
    kept = round(Fraction(had.micro * (had.units - units), had.units))
    return Use(package, had.unit, -units, 0, kept - had.micro)


def _fields(place: Place) -> tuple[str, CentreName, str]:
    return place.product_line, place.centre, place.queue

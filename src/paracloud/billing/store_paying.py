"""Every query on packages and credits, volumes of tiers, and how projects pay."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charges import NewCharge
from paracloud.billing.cover import Given, Package, Shelf, Unit, Use
from paracloud.billing.decide import VolumeKey
from paracloud.billing.tables import VolumeRow
from paracloud.billing.tables_decisions import PackageEndRow
from paracloud.billing.tables_paying import PackageRow, PackageUseRow, ReservationRow
from paracloud.kit.bulk import unnested
from paracloud.kit.identifiers import CentreName, PackageId, PriceVersionId, ProjectId, UsageId

USE = (
    PackageUseRow.usage_id, PackageUseRow.revision, PackageUseRow.is_reversal, PackageUseRow.package_id,
    PackageUseRow.units, PackageUseRow.micro, PackageUseRow.returned_micro,
)  # fmt: skip
VOLUME = (VolumeRow.payer, VolumeRow.price_version_id, VolumeRow.period, VolumeRow.list_micro)


async def packages_of(session: AsyncSession, projects: Collection[ProjectId]) -> list[Package]:
    """Closed ones too; earliest expiry first."""
    query = select(PackageRow).where(PackageRow.project_id.in_(projects))
    rows = await session.scalars(query.order_by(PackageRow.expires_at, PackageRow.id))
    return [_package(row) for row in rows.all()]


async def lock_shelf(
    session: AsyncSession,
    projects: Collection[ProjectId],
    references: Collection[str],
    usages: Collection[UsageId] = (),
) -> tuple[Shelf, dict[UsageId, dict[PackageId, Given]]]:
    """The projects' open packages, and those that gave something for these usages before, with what they gave. Always
    after the wallets: whoever locks a project's packages holds its wallet."""
    given = await given_for(session, usages)
    gave = {package for one in given.values() for package in one}
    query = select(PackageRow).where(
        PackageRow.project_id.in_(projects), PackageRow.closed_at.is_(None) | PackageRow.id.in_(gave)
    )
    rows = (await session.scalars(query.order_by(PackageRow.id).with_for_update())).all()
    reserved = await _reserved(session, references) if rows and references else {}
    return Shelf([_package(row) for row in rows], reserved), given


async def put_back(session: AsyncSession, shelf: Shelf) -> None:
    """What has changed on the shelf."""
    for id_ in sorted(shelf.changed):
        one = shelf.packages[id_]
        changed = update(PackageRow).where(PackageRow.id == id_).values(used=one.used, reserved=one.reserved)
        await session.execute(changed.execution_options(synchronize_session=False))
    if shelf.touched:
        columns = (ReservationRow.reference, ReservationRow.package_id, ReservationRow.units)
        rows = unnested(columns, [(*key, shelf.reserved[key]) for key in sorted(shelf.touched)])
        adding = insert(ReservationRow).from_select([one.key for one in columns], select(*rows.c))
        await session.execute(
            adding.on_conflict_do_update(
                index_elements=["reference", "package_id"], set_={"units": adding.excluded.units}
            )
        )


async def add_uses(session: AsyncSession, charged: Iterable[tuple[NewCharge, Sequence[Use]]]) -> None:
    """One row a package, also where a charge took of it both what was reserved and what was free."""
    sums: dict[tuple[object, ...], list[int]] = {}
    for row, uses in charged:
        for use in uses:
            found = sums.setdefault((row.usage, row.revision, row.is_reversal, use.package), [0, 0, 0])
            found[0] += use.units
            found[1] += use.micro
            found[2] += use.returned_micro
    rows = [(*key, *value) for key, value in sums.items() if value[0]]
    if rows:
        new = unnested(USE, rows)
        await session.execute(insert(PackageUseRow).from_select([one.key for one in USE], select(*new.c)))


async def lock_volumes(session: AsyncSession, keys: Collection[VolumeKey]) -> dict[VolumeKey, int]:
    """Those of the keys, each there from now on."""
    if not keys:
        return {}
    rows = unnested(VOLUME, [(*key, 0) for key in sorted(keys)])
    adding = insert(VolumeRow).from_select([one.key for one in VOLUME], select(*rows.c))
    await session.execute(adding.on_conflict_do_nothing())
    same = tuple_(VolumeRow.payer, VolumeRow.price_version_id, VolumeRow.period)
    query = select(*VOLUME).where(same.in_(sorted(keys))).order_by(*VOLUME[:3]).with_for_update()
    return {
        (payer, PriceVersionId(price), period): micro
        for payer, price, period, micro in (await session.execute(query)).all()
    }


async def put_volumes(session: AsyncSession, volumes: Mapping[VolumeKey, int]) -> None:
    for (payer, price, period), micro in volumes.items():
        same = (VolumeRow.payer == payer, VolumeRow.price_version_id == price, VolumeRow.period == period)
        changed = update(VolumeRow).where(*same).values(list_micro=micro)
        await session.execute(changed.execution_options(synchronize_session=False))


async def kept(session: AsyncSession, charged: Collection[tuple[UsageId, int]]) -> dict[UsageId, int]:
    """What packages have of these usages, by usage, since they were charged by that revision, in micro-units: where all
    was taken back, what hours are worth more or less there now."""
    if not charged:
        return {}
    since = unnested([PackageUseRow.usage_id, PackageUseRow.revision], list(charged))
    query = (
        select(PackageUseRow.usage_id, func.sum(PackageUseRow.micro + PackageUseRow.returned_micro))
        .join(since, (since.c.usage_id == PackageUseRow.usage_id) & (since.c.revision <= PackageUseRow.revision))
        .group_by(PackageUseRow.usage_id)
    )
    return {UsageId(usage): int(micro) for usage, micro in (await session.execute(query)).all()}


async def given_for(session: AsyncSession, usages: Collection[UsageId]) -> dict[UsageId, dict[PackageId, Given]]:
    """What packages gave for these usages since their last reversal, which gave all back."""
    if not usages:
        return {}
    query = (
        select(*USE, PackageRow.unit)
        .join(PackageRow, PackageRow.id == PackageUseRow.package_id)
        .where(PackageUseRow.usage_id.in_(usages))
        .order_by(PackageUseRow.revision, PackageUseRow.is_reversal)
    )
    found: dict[UsageId, dict[PackageId, Given]] = {}
    for row in (await session.execute(query)).all():
        of, package = found.setdefault(UsageId(row.usage_id), {}), PackageId(row.package_id)
        had = of.pop(package, Given(Unit(row.unit), 0, 0))
        if not row.is_reversal:
            of[package] = replace(had, units=had.units + row.units, micro=had.micro + row.micro + row.returned_micro)
    return found


async def close_package(session: AsyncSession, package: PackageId, now: datetime) -> None:
    await session.execute(update(PackageRow).where(PackageRow.id == package).values(closed_at=now))


async def whose(session: AsyncSession, package: PackageId) -> tuple[ProjectId, str] | None:
    """Its project and currency, which never change; None: there is no such package."""
    query = select(PackageRow.project_id, PackageRow.currency).where(PackageRow.id == package)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (ProjectId(row.project_id), row.currency)


async def waiting_for(session: AsyncSession, package: PackageId) -> Sequence[str]:
    """The references that have units of it reserved."""
    query = select(ReservationRow.reference).where(ReservationRow.package_id == package, ReservationRow.units > 0)
    return (await session.scalars(query.order_by(ReservationRow.reference))).all()


async def keep_end(
    session: AsyncSession, of: Package, returned_micro: int, *, reason: str, person: str, now: datetime
) -> None:
    values = {
        "package_id": of.id, "units": of.total - of.used, "returned_micro": returned_micro, "reason": reason,
        "person": person, "ended_at": now,
    }  # fmt: skip
    await session.execute(insert(PackageEndRow).values(values))


async def expired(session: AsyncSession, before: datetime, limit: int) -> list[tuple[PackageId, ProjectId]]:
    """Packages that expired before then, wait for no job any more, and are not closed."""
    query = select(PackageRow.id, PackageRow.project_id).where(
        PackageRow.closed_at.is_(None), PackageRow.reserved == 0, PackageRow.expires_at <= before
    )
    rows = (await session.execute(query.order_by(PackageRow.id).limit(limit))).all()
    return [(PackageId(package), ProjectId(project)) for package, project in rows]


async def add_package(session: AsyncSession, package: Package) -> None:
    values = {name: getattr(package, name) for name in Package.__dataclass_fields__ if name != "project"}
    session.add(PackageRow(project_id=package.project, **values | {"unit": package.unit.value}))
    await session.flush()


async def _reserved(session: AsyncSession, references: Collection[str]) -> dict[tuple[str, PackageId], int]:
    query = select(ReservationRow).where(ReservationRow.reference.in_(references), ReservationRow.units > 0)
    return {(row.reference, PackageId(row.package_id)): row.units for row in (await session.scalars(query)).all()}


def _package(row: PackageRow) -> Package:
    return Package(
        id=PackageId(row.id),
        project=ProjectId(row.project_id),
        name=row.name,
        unit=Unit(row.unit),
        total=row.total,
        used=row.used,
        reserved=row.reserved,
        price_micro=row.price_micro,
        currency=row.currency,
        product_line=row.product_line,
        centre=None if row.centre is None else CentreName(row.centre),
        queue=row.queue,
        valid_from=row.valid_from,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
    )

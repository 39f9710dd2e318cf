"""A project with money, a centre with a price and a contract, and usage on it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from paracloud.billing import store, store_paying
from paracloud.billing.charge import charge
from paracloud.billing.check import check
from paracloud.billing.contract import add_contract
from paracloud.billing.cover import Package, Unit
from paracloud.billing.entry import wallet
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.sell_package import sell_package
from paracloud.billing.top_up import top_up
from paracloud.centres.centre import Centre, Owner
from paracloud.centres.connect_centre import connect_centre
from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.identity.caller import Category
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName, NativeId, PackageId, PriceVersionId, ProjectId, UnixAccount, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.metering.usage import Claim, Usage, key_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EAST = CentreName("east")
ACCOUNT = UnixAccount("east001")
CORE_HOUR = Decimal("0.123456789")


@dataclass(frozen=True)
class World:
    project: ProjectId
    price: Price

    @property
    def lent(self) -> dict[UnixAccount, Owner]:
        """As long as anybody remembers."""
        return {ACCOUNT: Owner(self.project, NOW - timedelta(days=1000))}


async def world(database: Database, money: str = "100") -> World:
    async with database.begin() as session:
        organisation = await create_organisation(session, "大学", Category.UNIVERSITY, now=NOW)
        project = await create_project(session, organisation, "熔体", now=NOW)
        centre = Centre(
            EAST, "East", "东部", "127.0.0.1", 22, "ssh-ed25519 AAAA", "slurm", UnixAccount("svc"), 90,
            timedelta(minutes=10), timedelta(minutes=2), "cn", is_enabled=True,
        )  # fmt: skip
        await connect_centre(session, centre, [ACCOUNT], dialects=["slurm"], now=NOW)
        price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, CORE_HOUR, Decimal(2), "CNY")
        await add_price(session, EAST, "cpu", price, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
        await add_contract(session, EAST, 7500, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
        if money != "0":
            await top_up(session, project, Money.parse(money), key="first", person="op", now=NOW)
    return World(project, price)


RECORD = AccountingRecord(
    native_id=NativeId("7"), record_id=NativeId("7"), task_index=None, restart_count=0, tag=None, name="melt",
    account=ACCOUNT, queue="cpu", phase=NativePhase.COMPLETED, native_state="COMPLETED", exit_code=0, exit_signal=0,
    submitted_at=NOW, started_at=NOW, ended_at=NOW + timedelta(seconds=100), elapsed_seconds=100, cores=4, nodes=2,
    gpus=0, memory_bytes=0, node_list="n[1-2]", raw="7|…",
)  # fmt: skip


def record(id_: str = "7", **changes: object) -> AccountingRecord:
    native = NativeId(id_)
    return replace(RECORD, native_id=native, record_id=native, **changes)  # type: ignore[arg-type]


async def metered(database: Database, opened: World, *records, job: str | None = None) -> list[Usage]:
    claims = {key_of(EAST, one): Claim(job) for one in records}
    now = max(NOW, *(one.ended_at for one in records))
    async with database.begin() as session:
        got = await collect(session, EAST, records, owners={ACCOUNT: opened.project}, claims=claims, now=now)
    return [*got.new, *got.corrected]


async def charged(database: Database, usages, pinned=None) -> list[int | None]:
    async with database.begin() as session:
        return [one.amount_micro for one in await charge(session, usages, pinned=pinned or {}, now=NOW)]


async def sound(database: Database) -> None:
    """The daily check finds nothing."""
    async with database.begin() as session:
        assert await check(session) == []


async def left(database: Database, opened: World) -> int:
    """Micro-units that the wallet has."""
    async with database.begin() as session:
        return await store.balance(session, wallet(opened.project))


async def sold(database: Database, opened: World, *, price: str = "10", hours: int = 100, **changes: object) -> Package:
    """A package of core-hours, for a month."""
    plain = Package(
        id=PackageId(new_uuid()), project=opened.project, name="百核时包", unit=Unit.CORE_SECOND, total=hours * 3600,
        used=0, reserved=0, price_micro=Money.parse(price).micro, currency="CNY", product_line=None, centre=None,
        queue=None, valid_from=NOW - timedelta(days=1), expires_at=NOW + timedelta(days=30),
    )  # fmt: skip
    wanted = replace(plain, **changes)  # type: ignore[arg-type]
    async with database.begin() as session:
        await sell_package(session, wanted, person="op", now=NOW, is_unseen=True)
    return wanted


async def package_now(database: Database, wanted: Package) -> Package:
    async with database.begin() as session:
        found = await store_paying.packages_of(session, [wanted.project])
    return next(one for one in found if one.id == wanted.id)

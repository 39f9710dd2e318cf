"""Books to charge on: a centre with a price and a contract, projects with money, and usage that was metered."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from paracloud.billing.contract import add_contract
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.top_up import top_up
from paracloud.centres.centre import Centre
from paracloud.centres.connect_centre import connect_centre
from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.identity.caller import Category
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName, NativeId, PriceVersionId, ProjectId, UnixAccount, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.metering.usage import Usage

CENTRE, QUEUE, PROJECTS = CentreName("bench"), "cpu", 100
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CORE_HOUR, SHARE = Decimal("0.123456789"), 8000


@dataclass
class Books:
    database: Database
    owners: Mapping[UnixAccount, ProjectId]
    now: datetime = NOW
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def meter(self, count: int) -> tuple[Usage, ...]:
        """So many new usages, of all projects in turn, no two alike."""
        accounts = list(self.owners)
        numbers = itertools.islice(self._numbers, count)
        records = [_record(number, accounts[number % len(accounts)]) for number in numbers]
        async with self.database.begin() as session:
            found = await collect(session, CENTRE, records, owners=self.owners, claims={}, now=self.now)
        return found.new


async def open_books(database: Database) -> Books:
    accounts = [UnixAccount(f"bench{number:03d}") for number in range(PROJECTS)]
    before = NOW - timedelta(days=1)
    async with database.begin() as session:
        organisation = await create_organisation(session, "Bench", Category.UNIVERSITY, now=NOW)
        projects = [await create_project(session, organisation, f"p{at}", now=NOW) for at in range(PROJECTS)]
        centre = Centre(
            CENTRE, "Bench", "基准", "127.0.0.1", 22, "ssh-ed25519 AAAA", "slurm", UnixAccount("benchsvc"), 90,
            timedelta(minutes=10), timedelta(minutes=2), "cn", is_enabled=True,
        )  # fmt: skip
        await connect_centre(session, centre, accounts, dialects=["slurm"], now=NOW)
        price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, CORE_HOUR, Decimal(2), "CNY")
        await add_price(session, CENTRE, QUEUE, price, person="bench", now=NOW, valid_from=before)
        await add_contract(session, CENTRE, SHARE, person="bench", now=NOW, valid_from=before)
        for project in projects:
            await top_up(session, project, Money.parse("1000000"), key=f"bench-{project}", person="bench", now=NOW)
    return Books(database, dict(zip(accounts, projects, strict=True)))


def _record(number: int, account: UnixAccount) -> AccountingRecord:
    seconds, cores = 60 + number % 7919, 1 + number % 61
    native = NativeId(str(number))
    return AccountingRecord(
        native_id=native, record_id=native, task_index=None, restart_count=0, tag=None, name="melt", account=account,
        queue=QUEUE, phase=NativePhase.COMPLETED, native_state="COMPLETED", exit_code=0, exit_signal=0,
        submitted_at=NOW, started_at=NOW, ended_at=NOW + timedelta(seconds=seconds), elapsed_seconds=seconds,
        cores=cores, nodes=1, gpus=number % 3 // 2, memory_bytes=0, node_list="n1", raw=f"{number}|…",
    )  # fmt: skip

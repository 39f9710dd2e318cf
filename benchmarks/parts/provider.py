"""The provider whose year it is: centres with prices and contracts, organisations, projects with money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from benchmarks.parts.market import CENTRES, FIRST, PROJECTS, USERS, USERS_A_CENTRE, USERS_A_PROJECT, Log, now
from paracloud.billing.contract import add_contract
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.top_up import top_up
from paracloud.centres.centre import Centre
from paracloud.centres.connect_centre import connect_centre
from paracloud.history.imported import By
from paracloud.history.request import Wanted, request_import
from paracloud.identity.caller import Category
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.database import Database
from paracloud.kit.identifiers import BlobId, CentreName, PriceVersionId, ProjectId, UnixAccount, new_uuid
from paracloud.kit.money import Money

CORE_HOUR, CARD_HOUR, SHARE = Decimal("0.098765432"), Decimal("3.5"), 7750
PROJECTS_AN_ORGANISATION = 10
START = datetime(FIRST.year - 1, 12, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Provider:
    """`owners` maps each user to a project, `files` each log's name to its path."""

    centres: Sequence[str]
    owners: Mapping[str, ProjectId]
    logs: Sequence[Log]
    core_hour: Decimal = CORE_HOUR
    card_hour: Decimal = CARD_HOUR
    share: int = SHARE

    @property
    def files(self) -> Mapping[str, str]:
        return {_name_of(at): str(one.file) for at, one in enumerate(self.logs)}

    async def hand_in(self, database: Database) -> None:
        """All logs, month by month."""
        async with database.begin() as session:
            for at, one in enumerate(self.logs):
                users = range(one.centre * USERS_A_CENTRE, (one.centre + 1) * USERS_A_CENTRE)
                owners = {f"u{user}": self.owners[f"u{user}"] for user in users}
                centre = CentreName(self.centres[one.centre])
                wanted = Wanted(BlobId(_name_of(at)), one.file.name, centre, "sacct", By.USER, owners)
                await request_import(session, wanted, person="bench", now=now() + timedelta(seconds=at))


async def open_provider(database: Database, logs: Sequence[Log]) -> Provider:
    names = [f"c{number:03d}" for number in range(CENTRES)]
    projects: list[ProjectId] = []
    async with database.begin() as session:
        for at in range(PROJECTS // PROJECTS_AN_ORGANISATION):
            organisation = await create_organisation(session, f"o{at}", Category.UNIVERSITY, now=START)
            projects += [
                await create_project(session, organisation, f"p{at}-{number}", now=START)
                for number in range(PROJECTS_AN_ORGANISATION)
            ]
        for name in names:
            centre = Centre(
                CentreName(name), name, name, "127.0.0.1", 22, "ssh-ed25519 AAAA", "slurm", UnixAccount(f"{name}svc"),
                90, timedelta(minutes=10), timedelta(minutes=2), "cn", is_enabled=True,
            )  # fmt: skip
            await connect_centre(session, centre, [UnixAccount(f"{name}001")], dialects=["slurm"], now=START)
            for queue in ("cpu", "gpu"):
                price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, CORE_HOUR, CARD_HOUR, "CNY")
                await add_price(session, CentreName(name), queue, price, person="bench", now=START, valid_from=START)
            await add_contract(session, CentreName(name), SHARE, person="bench", now=START, valid_from=START)
        for project in projects:
            await top_up(session, project, Money.parse("100000000"), key=f"year-{project}", person="bench", now=START)
    return Provider(names, {f"u{user}": projects[user // USERS_A_PROJECT] for user in range(USERS)}, logs)


def _name_of(number: int) -> str:
    return f"{number:064x}"

"""Settings become objects here, and nowhere else."""

import os
import secrets
import socket
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from paracloud.api.deps import Deps
from paracloud.billing.receipt import Signer
from paracloud.centres.budget import CommandBudget
from paracloud.centres.centre import Centre
from paracloud.centres.collectors import Collectors
from paracloud.centres.leases import PostgresLeases
from paracloud.centres.registry import all_centres, reached_centre
from paracloud.data.blobs import Blobs
from paracloud.data.place import stage_in
from paracloud.dialects.registry import DIALECTS, dialect_named
from paracloud.history.logged import logged
from paracloud.jobs.book import Dispatch
from paracloud.jobs.draw import Drawer, LetGo
from paracloud.jobs.foresee import Foresight
from paracloud.jobs.fund import Funder
from paracloud.jobs.ledgered import PostgresBook
from paracloud.jobs.market import MarketReader
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.placer import Placers
from paracloud.jobs.propose_moves import Rerouter, stay_all
from paracloud.jobs.reconcile_due import reconcile_due
from paracloud.kit.clock import SystemClock
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName, WorkerId
from paracloud.kit.secret import kept_key, server_key
from paracloud.kit.settings import Settings
from paracloud.transports.pool import PooledReach
from paracloud.transports.scout import Scout
from paracloud.transports.signing import SocketSigner
from paracloud.transports.ssh import Address
from paracloud.transports.transport import Transport
from paracloud.worker.duties import Duties
from paracloud.worker.report import Reporter
from paracloud.worker.worker import Worker
from paramon.pack import packed


class Composed:
    """The objects that one process shares. `database_url`: the settings', or the embedded server's."""

    def __init__(self, settings: Settings, database_url: str) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.database = Database.connect(database_url, pool_size=settings.database_pool)
        self.blobs = Blobs(settings.blob_folder, limit_bytes=settings.upload_limit_bytes)
        self.logs = Blobs(settings.log_folder, limit_bytes=settings.upload_limit_bytes)
        self.signer = Signer(kept_key(settings.receipt_key_file))
        self.reach = PooledReach(self._address, SocketSigner(settings.authority_socket), self.clock)

    async def close(self) -> None:
        await self.reach.close()
        await self.database.close()

    def api_deps(self) -> Deps:
        return Deps(
            database=self.database,
            reach=self.reach,
            scout=Scout(SocketSigner(self.settings.authority_socket), self.clock),
            blobs=self.blobs,
            logs=self.logs,
            clock=self.clock,
            key=server_key(self.settings.secret_key_file),
            signer=self.signer,
            market=MarketReader(self.database, self.clock, Foresight(self.clock), binds_late=self.settings.reroute),
            placers=Placers(),
            dialects=DIALECTS,
            operator_name=self.settings.operator_name,
            authority_key_file=self.settings.authority_key_file.with_suffix(".pub"),
            storage_limit_bytes=self.settings.project_storage_bytes,
        )

    def worker(self) -> Worker:
        holder = WorkerId(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
        leases = PostgresLeases(
            self.database, holder, self.clock, ttl=self.settings.lease_ttl, margin=self.settings.lease_margin
        )
        reporter = Reporter(self.database)
        funder = Funder(self.database, self.clock)
        market = MarketReader(self.database, self.clock, Foresight(self.clock))
        rerouter = Rerouter(self.database, self.clock, market)
        duties = Duties(
            stage=self._stage,
            equip=Collectors(self.reach, packed, self.clock).lay,
            report=reporter.health,
            probe=reporter.probe,
            fund=funder.round,
            reconcile=partial(reconcile_due, self.database, partial(logged, self.database, self.logs.path)),
            reroute=rerouter.round if self.settings.reroute else stay_all,
            draw=(Drawer(self.database, self.clock, market) if self.settings.reroute else LetGo(self.database)).round,
        )
        book = PostgresBook(self.database, self.clock, market)
        renew_every = timedelta(seconds=self.settings.renew_every.total_seconds())
        return Worker(book, leases, self._outposts, duties, self.clock, renew_every=renew_every)

    async def _outposts(self) -> Sequence[Outpost]:
        async with self.database.begin() as session:
            centres = await all_centres(session)
        return [self._outpost(one) for one in centres if one.is_reached]

    def _outpost(self, one: Centre) -> Outpost:
        dialect = dialect_named(one.dialect)
        return Outpost(
            centre=one.name,
            service_account=one.service_account,
            patience=one.patience,
            dialect=dialect,
            reach=self.reach,
            budget=CommandBudget(one.commands_per_minute, self.clock, dialect.commands_least),
            clock=self.clock,
            terms=one.tended_by,
            commands_per_minute=one.commands_per_minute,
        )

    async def _stage(self, transport: Transport, item: Dispatch) -> None:
        await stage_in(transport, self.blobs, item.inputs, item.request.work_directory)

    async def _address(self, centre: CentreName) -> Address:
        async with self.database.begin() as session:
            found = await reached_centre(session, centre)
        return Address(found.host, found.port, found.host_key)

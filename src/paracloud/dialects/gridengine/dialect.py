"""Grid Engine as a dialect, for 8.1.9 (Son of Grid Engine) and what is like it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from paracloud.dialects.gridengine import accounting, cluster, control, guard, listing, script
from paracloud.dialects.nonce import random_nonce
from paracloud.dialects.records import AccountingRecord, NodeInfo, Observation, QueueInfo, Request
from paracloud.dialects.weight import Weight
from paracloud.kit.command import Command
from paracloud.kit.errors import Refused, Unreachable
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount


class GridEngineDialect:
    """`nonce` gives a new one for each command: ASCII letters and digits, no two alike."""

    def __init__(self, nonce: Callable[[], str] = random_nonce) -> None:
        self._nonce = nonce

    def script(self, request: Request) -> str:
        return script.script(request)

    @property
    def commands_least(self) -> int:
        return guard.COMMANDS_LEAST

    def weigh(self, script: str, *, is_retry: bool) -> Weight:
        return guard.GUARD.weigh(script, is_retry=is_retry)

    def submit(
        self, batch: Mapping[SubmitTag, str], retried: Collection[SubmitTag] = ()
    ) -> Command[Mapping[SubmitTag, NativeId | Refused | Unreachable]]:
        return guard.GUARD.submit(batch, self._nonce(), retried)

    def find(self, tags: Sequence[SubmitTag], since: datetime) -> Command[Mapping[SubmitTag, NativeId]]:
        return guard.find(tags, since, self._nonce())

    def observe(self, accounts: Sequence[UnixAccount]) -> Command[Sequence[Observation]]:
        return listing.observe(accounts, self._nonce())

    def cancel(self, ids: Sequence[NativeId]) -> Command[None]:
        return control.cancel(ids)

    def signal(self, ids: Sequence[NativeId], name: str) -> Command[frozenset[NativeId]]:
        return control.signal(ids, name, self._nonce())

    def hold(self, id: NativeId) -> Command[None]:  # noqa: A002
        return control.hold(id)

    def release(self, id: NativeId) -> Command[None]:  # noqa: A002
        return control.release(id)

    def account(
        self, start: datetime, end: datetime, accounts: Sequence[UnixAccount]
    ) -> Command[Sequence[AccountingRecord]]:
        return accounting.account(start, end, accounts, self._nonce())

    def account_of(self, ids: Sequence[NativeId]) -> Command[Sequence[AccountingRecord]]:
        return accounting.account_of(ids, self._nonce())

    def queues(self) -> Command[Sequence[QueueInfo]]:
        return cluster.queues(self._nonce())

    def nodes(self) -> Command[Sequence[NodeInfo]]:
        return cluster.nodes(self._nonce())

    def ping(self) -> Command[str]:
        return cluster.ping()

"""PBS as a dialect, in its two flavours: the one face that the rest of the platform sees."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from paracloud.dialects.nonce import random_nonce
from paracloud.dialects.pbs import accounting, cluster, control, guard, listing, script
from paracloud.dialects.pbs.flavour import Flavour
from paracloud.dialects.pbs.flavours import OPENPBS, TORQUE
from paracloud.dialects.records import AccountingRecord, NodeInfo, Observation, QueueInfo, Request
from paracloud.dialects.weight import Weight
from paracloud.kit.command import Command
from paracloud.kit.errors import Refused, Unreachable
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount


class PbsDialect:
    """`nonce` gives a new one for each command: ASCII letters and digits, no two alike."""

    def __init__(self, flavour: Flavour, nonce: Callable[[], str] = random_nonce) -> None:
        self._flavour = flavour
        self._nonce = nonce

    def script(self, request: Request) -> str:
        return script.script(self._flavour, request)

    @property
    def commands_least(self) -> int:
        return guard.COMMANDS_LEAST

    def weigh(self, script: str, *, is_retry: bool) -> Weight:
        return guard.guard_of(self._flavour).weigh(script, is_retry=is_retry)

    def submit(
        self, batch: Mapping[SubmitTag, str], retried: Collection[SubmitTag] = ()
    ) -> Command[Mapping[SubmitTag, NativeId | Refused | Unreachable]]:
        return guard.guard_of(self._flavour).submit(batch, self._nonce(), retried)

    def find(self, tags: Sequence[SubmitTag], since: datetime) -> Command[Mapping[SubmitTag, NativeId]]:
        return guard.find(self._flavour, tags, self._nonce())

    def observe(self, accounts: Sequence[UnixAccount]) -> Command[Sequence[Observation]]:
        return listing.observe(self._flavour, accounts, self._nonce())

    def cancel(self, ids: Sequence[NativeId]) -> Command[None]:
        return control.cancel(self._flavour.answers, ids)

    def signal(self, ids: Sequence[NativeId], name: str) -> Command[frozenset[NativeId]]:
        return control.signal(self._flavour.answers, ids, name)

    def hold(self, id: NativeId) -> Command[None]:  # noqa: A002
        return control.hold(self._flavour.answers, id)

    def release(self, id: NativeId) -> Command[None]:  # noqa: A002
        return control.release(self._flavour.answers, id)

    def account(
        self, start: datetime, end: datetime, accounts: Sequence[UnixAccount]
    ) -> Command[Sequence[AccountingRecord]]:
        return accounting.account(self._flavour, start, end, accounts, self._nonce())

    def account_of(self, ids: Sequence[NativeId]) -> Command[Sequence[AccountingRecord]]:
        return accounting.account_of(self._flavour, ids, self._nonce())

    def queues(self) -> Command[Sequence[QueueInfo]]:
        return cluster.queues(self._flavour, self._nonce())

    def nodes(self) -> Command[Sequence[NodeInfo]]:
        return cluster.nodes(self._flavour, self._nonce())

    def ping(self) -> Command[str]:
        return cluster.ping(self._flavour)


def openpbs(nonce: Callable[[], str] = random_nonce) -> PbsDialect:
    return PbsDialect(OPENPBS, nonce)


def torque(nonce: Callable[[], str] = random_nonce) -> PbsDialect:
    return PbsDialect(TORQUE, nonce)

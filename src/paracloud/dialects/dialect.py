"""A scheduler as a language: what to say, and how to read the answer. Pure text, no input or output."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from paracloud.dialects.records import AccountingRecord, NodeInfo, Observation, QueueInfo, Request
from paracloud.dialects.weight import Weight
from paracloud.kit.command import Command
from paracloud.kit.errors import Refused, Unreachable
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount


class Dialect(Protocol):
    """Every method is pure. A field that the scheduler cannot express raises Unsupported by name."""

    def script(self, request: Request) -> str:
        """The batch script: directives, run marker, environment, the user's script."""
        ...

    @property
    def commands_least(self) -> int:
        """What one step of one job may run at the centre at most: no centre publishes a smaller budget a minute."""
        ...

    def weigh(self, script: str, *, is_retry: bool) -> Weight:
        """What a script adds to the cost of a batch that it is in. `is_retry`: it may have been submitted before."""
        ...

    def submit(
        self, batch: Mapping[SubmitTag, str], retried: Collection[SubmitTag] = ()
    ) -> Command[Mapping[SubmitTag, NativeId | Refused | Unreachable]]:
        """Guarded: may be repeated by anyone at any time and submits each tag at most once. Every tag of the batch has
        an answer: its native id, a definite refusal (not submitted, now or ever), or Unreachable (ask again). Of those
        that are `retried` it costs more."""
        ...

    def find(self, tags: Sequence[SubmitTag], since: datetime) -> Command[Mapping[SubmitTag, NativeId]]:
        """Look tags up in queue and accounting. An absent tag is an absent key."""
        ...

    def observe(self, accounts: Sequence[UnixAccount]) -> Command[Sequence[Observation]]:
        """All jobs that the queue listing shows for these accounts, one command whatever their number."""
        ...

    def cancel(self, ids: Sequence[NativeId]) -> Command[None]:
        """Already gone is success."""
        ...

    def signal(self, ids: Sequence[NativeId], name: str) -> Command[frozenset[NativeId]]:
        """To what runs of these jobs, once: a signal's name without SIG, such as USR1; "B:USR1": to the batch script
        alone. Which of them have it, or are gone already; those that are left out may be asked for again."""
        ...

    def hold(self, id: NativeId) -> Command[None]: ...  # noqa: A002
    def release(self, id: NativeId) -> Command[None]: ...  # noqa: A002

    def account(
        self, start: datetime, end: datetime, accounts: Sequence[UnixAccount]
    ) -> Command[Sequence[AccountingRecord]]:
        """Executions by these accounts that ended in [start, end)."""
        ...

    def account_of(self, ids: Sequence[NativeId]) -> Command[Sequence[AccountingRecord]]:
        """Ended executions of these jobs, whenever; ids that accounting does not know are absent."""
        ...

    def queues(self) -> Command[Sequence[QueueInfo]]: ...
    def nodes(self) -> Command[Sequence[NodeInfo]]: ...

    def ping(self) -> Command[str]:
        """The scheduler's name and version; Unreachable where it does not answer."""
        ...

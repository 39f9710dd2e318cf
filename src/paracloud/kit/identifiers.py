"""A type for each kind of identity, and the one place that makes new ones (UUIDv7, RFC 9562 section 5.7)."""

import os
import time
from typing import NewType
from uuid import UUID

OrganisationId = NewType("OrganisationId", UUID)
ProjectId = NewType("ProjectId", UUID)
UserId = NewType("UserId", UUID)
TokenId = NewType("TokenId", UUID)
JobId = NewType("JobId", UUID)
UsageId = NewType("UsageId", UUID)
EntryId = NewType("EntryId", UUID)
HoldId = NewType("HoldId", UUID)
PriceVersionId = NewType("PriceVersionId", UUID)
ContractId = NewType("ContractId", UUID)
PackageId = NewType("PackageId", UUID)
DedicationId = NewType("DedicationId", UUID)
BudgetId = NewType("BudgetId", UUID)
ImportId = NewType("ImportId", UUID)
SettlementId = NewType("SettlementId", UUID)
DisputeId = NewType("DisputeId", UUID)
BlobId = NewType("BlobId", str)
"""SHA-256 of the content, 64 hexadecimal digits."""

CentreName = NewType("CentreName", str)
"""A centre's own short name, `[a-z][a-z0-9-]{0,30}`; it never changes, so it is the key."""
UnixAccount = NewType("UnixAccount", str)
NativeId = NewType("NativeId", str)
"""The scheduler's id, opaque. It alone identifies nothing: ids recycle."""
SubmitTag = NewType("SubmitTag", str)
"""What the job carries at the centre to be found again: 32 hexadecimal digits, `submit_tag`."""
WorkerId = NewType("WorkerId", str)


MOVES_MOST = 8
_VERSION_AT = 12
"""Where in an id's digits its version is (RFC 9562 section 4.2)."""


def new_uuid() -> UUID:
    """A UUIDv7: sorted by time, so that a B-tree grows at its right edge."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10), "big") >> 6
    value = (
        (milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | (random_bits >> 62) << 64
        | 0b10 << 62
        | random_bits & (1 << 62) - 1
    )
    return UUID(int=value)


def submit_tag(job: JobId, moves: int = 0) -> SubmitTag:
    """The digits of its id; after each of its moves to another centre a new one, or a centre that it comes back to
    would take it for what it left. The digit that counts them is the id's version, 7 at first: whose a tag is, it says
    itself. ValueError for a move that there is no tag for."""
    if not moves:
        return SubmitTag(job.hex)
    if not 0 < moves <= MOVES_MOST or job.version != 7:
        raise ValueError(f"{job} has no tag for its move {moves}")
    return SubmitTag(f"{job.hex[:_VERSION_AT]}{7 + moves:x}{job.hex[_VERSION_AT + 1 :]}")


def tagged(tag: SubmitTag) -> tuple[JobId, int]:
    """The job whose tag this would be, and after how many moves."""
    moves = max(int(tag[_VERSION_AT], 16) - 7, 0)
    version = int(tag[_VERSION_AT], 16) - moves
    return JobId(UUID(f"{tag[:_VERSION_AT]}{version:x}{tag[_VERSION_AT + 1 :]}")), moves

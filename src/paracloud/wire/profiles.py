"""What the collector saw of a job: samples by node, process and time."""

from typing import Any

from paracloud.wire.base import Model, Time


class SampledProcess(Model):
    """`number`: as in the rows. `rank`: of MPI, -1 where it has none."""

    number: int
    pid: int
    parent: int
    name: str
    command: str
    rank: int


class SampledMinute(Model):
    """`at_ms`: milliseconds since the start of the profile. `rows`: by the number of a process, the index of a tick and
    the values of all `fields` from then on, until the next; `points`: by series, likewise."""

    at_ms: list[int]
    rows: dict[str, list[tuple[int, list[int]]]]
    points: dict[str, list[tuple[int, int]]]


class NodeProfileModel(Model):
    """`header` and `end` come once each. `is_behind`: ask again, there is more."""

    file: str
    header: dict[str, Any] | None
    processes: list[SampledProcess]
    minutes: list[SampledMinute]
    end: dict[str, Any] | None
    lost_bytes: int
    is_behind: bool


class ProfileModel(Model):
    """What is new since `since`; `cursor` is the next `since`. `left_out`: files that may have news and are not in it:
    the next look has them. `parts`: where it is more than was asked for, some of them are had in so many parts alone,
    of which each goes on with the cursor of that part whose number is the rest of its own."""

    fields: list[str]
    nodes: list[NodeProfileModel]
    cursor: str
    left_out: int
    parts: int


class PieceModel(Model):
    """`content`: in base64, what stands in a file from byte `start` on; nothing stands behind it."""

    start: int
    content: str


class ProfileFileModel(Model):
    """`open_minute`: of the file beside it, whose name ends in `.live`. `is_behind`: ask again, there is more."""

    file: str
    written: PieceModel
    open_minute: PieceModel
    written_at: Time
    is_behind: bool


class ProfileFilesModel(Model):
    """What the files have got since `since`; `cursor` is the next `since`. `left_out`: files behind the last of these:
    with its name as `after` they are told of, with cursors of their own."""

    files: list[ProfileFileModel]
    cursor: str
    left_out: int

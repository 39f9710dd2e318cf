"""PBS's job ids: 123.server, 123[].server for an array as a whole, 123[4].server or 123-4.server (Torque 2) for one of
its tasks. Here the server's name is left out: each command asks the default server, which is the centre's."""

import re
from dataclasses import dataclass

from paracloud.dialects.tags import tag_of
from paracloud.kit.identifiers import NativeId, SubmitTag

_ID = re.compile(r"(\d{1,18})(?:(\[)(\d{0,9})\]|-(\d{1,9}))?(?:\.[A-Za-z0-9._-]{1,200})?", re.ASCII)
PATTERN = r"[0-9]{1,18}(\[\])?(\.[A-Za-z0-9._-]{1,200})?"
"""What qsub prints, as bash's extended regular expression."""


@dataclass(frozen=True, slots=True)
class PbsId:
    """`job` is what submit returned: 123, or 123[] for an array."""

    job: NativeId
    task_index: int | None

    @property
    def is_array_itself(self) -> bool:
        return self.job.endswith("[]") and self.task_index is None


def pbs_id(text: str) -> PbsId:
    """ValueError for what is no id."""
    found = _ID.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no job id")
    number, bracket, *indexes = found.groups()
    index = next((one for one in indexes if one), None)
    is_array = bracket is not None or index is not None
    return PbsId(NativeId(number + "[]" if is_array else number), None if index is None else int(index))


def tag_in(name: str, task_index: int | None) -> SubmitTag | None:
    """Torque gives each task of an array a name of its own, with the index behind it: name-4."""
    return tag_of(name if task_index is None else name.removesuffix(f"-{task_index}"))


def native_id(text: str) -> NativeId:
    """Of a job or an array, as submit returns it. ValueError for anything else."""
    found = pbs_id(text)
    if found.task_index is not None:
        raise ValueError(f"{text[:40]!r} is a task of an array")
    return found.job

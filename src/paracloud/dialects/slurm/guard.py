"""Guarded submission to Slurm, and the look-up of what was submitted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from paracloud.dialects.guard import Guard, require_tags
from paracloud.dialects.slurm.answers import SLURM
from paracloud.dialects.slurm.directive import folders_of
from paracloud.dialects.slurm.guard_program import GUARD_PROGRAM
from paracloud.dialects.slurm.table import rows
from paracloud.dialects.tags import native_name, tag_of
from paracloud.dialects.text import count
from paracloud.dialects.weight import Weight, plain
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId, SubmitTag

# Both listings have the shape ID, nonce, name; only this account's own jobs count.
_FIND = r"""
squeue -h -a -t all -u "$EUID" -n "$2" -o "%F$1%.40j" || exit
TZ=UTC0 sacct -X -n -P -D -u "$EUID" --name="$2" -S "$3" --delimiter="$1" -o JobID,JobName
"""


LOOK_UP = 2
"""squeue, and sacct where it lists none."""
COMMANDS_LEAST = plain(LOOK_UP, is_retry=True).own


def _native_id(text: str) -> NativeId:
    return NativeId(str(count(text)))


def _field(said: str) -> str | None:
    return "queue" if "artition" in said else None


def _weigh(_script: str, /, *, is_retry: bool) -> Weight:
    return plain(LOOK_UP, is_retry=is_retry)


GUARD = Guard(SLURM, GUARD_PROGRAM, folders_of, _native_id, _field, _weigh)


def find(tags: Sequence[SubmitTag], since: datetime, nonce: str) -> Command[Mapping[SubmitTag, NativeId]]:
    """To be run as the account that submitted: another account's job may carry any name."""
    require_tags(tags)
    names = ",".join(native_name(tag) for tag in tags)
    argv = ("bash", "-c", _FIND, "paracloud-find", nonce, names, since.strftime("%Y-%m-%dT%H:%M:%S"))

    def parse(completed: Completed) -> Mapping[SubmitTag, NativeId]:
        found: dict[SubmitTag, NativeId] = {}
        for number, name in rows(SLURM.output_of(completed, argv), nonce, 2, completed, argv):
            tag = tag_of(name.strip())
            if tag is not None and tag in tags:
                job = GUARD.id_of(number.partition("_")[0], completed, argv)
                found[tag] = min(found.get(tag, job), job, key=int)
        return found

    return Command(argv=argv, parse=parse, cost=2)

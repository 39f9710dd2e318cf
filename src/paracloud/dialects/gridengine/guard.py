"""Guarded submission to Grid Engine, and the look-up of what was submitted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from paracloud.dialects.answers import broken
from paracloud.dialects.gridengine.answers import CELL, GRID_ENGINE
from paracloud.dialects.gridengine.guard_program import GUARD_PROGRAM, LOOK_UPS, NO_ENVIRONMENT
from paracloud.dialects.gridengine.script import PARALLEL, folders_of
from paracloud.dialects.guard import Guard, require_tags
from paracloud.dialects.tags import tag_of
from paracloud.dialects.text import count
from paracloud.dialects.weight import Weight, plain
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId, SubmitTag

# Lines of nonce, id, name; only this account's own jobs count.
_FIND = rf"""{CELL}
listed=$(LC_ALL=C qstat -xml -r -u "$(id -un)") || exit
awk -F '[<>]' -v nonce="$1" '$2 == "JB_job_number" {{ id = $3 }}
  $2 == "full_job_name" {{ print nonce, id, $3 }} END {{ print nonce, "end" }}' <<<"$listed"
[ ! -e "$common/accounting" ] ||
  awk -F: -v nonce="$1" -v user="$(id -un)" '$4 == user && $5 ~ /^pc-/ {{ print nonce, $6, $5 }}' "$common/accounting"
echo "$1 end"
"""


LOOK_UP = 1
"""qstat; accounting is read from its file."""
COMMANDS_LEAST = plain(LOOK_UP, is_retry=True).own + LOOK_UPS
HEAD_LINES = 40


def _native_id(text: str) -> NativeId:
    return NativeId(str(count(text.partition(".")[0])))


def _field(said: str) -> str | None:
    if NO_ENVIRONMENT in said:
        return "nodes"
    return "queue" if "unknown queue" in said else None


def _weigh(script: str, /, *, is_retry: bool) -> Weight:
    """A queue's parallel environments are asked for once in a batch, and not for each job."""
    lines = (line for line in script.split("\n", HEAD_LINES) if line.startswith(PARALLEL))
    own = plain(LOOK_UP, is_retry=is_retry)
    return replace(own, shared={line.split()[-1]: LOOK_UPS for line in lines})


GUARD = Guard(GRID_ENGINE, GUARD_PROGRAM, folders_of, _native_id, _field, _weigh)


def find(tags: Sequence[SubmitTag], since: datetime, nonce: str) -> Command[Mapping[SubmitTag, NativeId]]:
    """To be run as the account that submitted: another account's job may carry any name. All of the accounting file is
    looked through, whatever `since` is: it is not in the order of submissions."""
    require_tags(tags)
    argv = ("bash", "-c", _FIND, "paracloud-find", nonce)

    def parse(completed: Completed) -> Mapping[SubmitTag, NativeId]:
        lines = GRID_ENGINE.output_of(completed, argv).split("\n")
        rows = [line.split() for line in lines if line.startswith(f"{nonce} ")]
        if sum(row[1:] == ["end"] for row in rows) != 2:
            raise broken("gave only a part of an answer", "只给出了一部分答复", completed, argv)
        found: dict[SubmitTag, NativeId] = {}
        for row in rows:
            tag = tag_of(row[2]) if len(row) == 3 else None
            if tag is not None and tag in tags:
                job = GUARD.id_of(row[1], completed, argv)
                found[tag] = min(found.get(tag, job), job, key=int)
        return found

    return Command(argv=argv, parse=parse)

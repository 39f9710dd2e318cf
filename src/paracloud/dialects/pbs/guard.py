"""Guarded submission to PBS, and the look-up of what was submitted."""

from collections.abc import Mapping, Sequence
from functools import cache

from paracloud.dialects.answers import broken
from paracloud.dialects.guard import Guard, require_tags
from paracloud.dialects.pbs.flavour import Flavour
from paracloud.dialects.pbs.ids import native_id
from paracloud.dialects.pbs.script import folders_of
from paracloud.dialects.tags import is_tag
from paracloud.dialects.weight import Weight, plain
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId, SubmitTag

# qselect takes one name at a time. Only this account's own jobs count.
_FIND = r"""
nonce=$1
shift
while read -r tag; do
  ids=$("$@" -u "$(id -un)" -N "pc-$tag" </dev/null) || exit
  for id in $ids; do printf '%s %s %s\n' "$nonce" "$tag" "$id"; done
done
printf '%s end\n' "$nonce"
"""


LOOK_UP = 2
"""qselect for one name, and again where the server keeps no history."""
COMMANDS_LEAST = plain(2 * LOOK_UP, is_retry=True).own


@cache
def guard_of(flavour: Flavour) -> Guard:
    return Guard(flavour.answers, flavour.program, folders_of, native_id, _field, _weigh)


def _weigh(script: str, /, *, is_retry: bool) -> Weight:
    """Torque calls the tasks of an array by names of their own, so that two names are looked up."""
    names = 2 if "\n#PBS -t " in script else 1
    return plain(LOOK_UP * names, is_retry=is_retry)


def find(flavour: Flavour, tags: Sequence[SubmitTag], nonce: str) -> Command[Mapping[SubmitTag, NativeId]]:
    """To be run as the account that submitted: another account's job may carry any name."""
    require_tags(tags)
    argv = ("bash", "-c", _FIND, "paracloud-find", nonce, *flavour.look_up)

    def parse(completed: Completed) -> Mapping[SubmitTag, NativeId]:
        words = [line.split() for line in flavour.answers.output_of(completed, argv).split("\n")]
        said = [line[1:] for line in words if line and line[0] == nonce]
        if not said or said[-1] != ["end"]:
            raise broken("gave only a part of an answer", "只给出了一部分答复", completed, argv)
        found: dict[SubmitTag, NativeId] = {}
        for line in said[:-1]:
            if len(line) != 2 or not is_tag(line[0]):
                raise broken("gave a row that is not understood", "给出了无法理解的一行", completed, argv)
            tag, job = SubmitTag(line[0]), guard_of(flavour).id_of(line[1], completed, argv)
            if tag in tags:
                found[tag] = min(found.get(tag, job), job, key=_number)
        return found

    stdin = "".join(f"{tag}\n" for tag in tags).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, cost=max(len(tags), 1))


def _number(job: NativeId) -> int:
    return int(job.removesuffix("[]"))


def _field(said: str) -> str | None:
    return "queue" if "ueue" in said else None

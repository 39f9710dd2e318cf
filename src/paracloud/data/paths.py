"""Paths as text: the rule for what stays inside a directory, and the names that a scheduler makes from a pattern."""

import re
from dataclasses import dataclass

PATH_LIMIT_BYTES = 1024
NAME_LIMIT_BYTES = 255
_NO_INDEX = 4294967294
"""What Slurm writes for %a where the job is no array (NO_VAL, slurm.h)."""
_PLACEHOLDER = re.compile(r"%(%|([0-9]{0,9})([AaJjNnstux]))")
_WIDTH_MOST = 10


def is_inside(path: str) -> bool:
    """A relative path of printable text that cannot leave the directory it is joined to."""
    return (
        path.isprintable()
        and len(path.encode()) <= PATH_LIMIT_BYTES
        and all(part not in ("", ".", "..") and len(part.encode()) <= NAME_LIMIT_BYTES for part in path.split("/"))
    )


@dataclass(frozen=True, slots=True)
class Execution:
    """What an output pattern may name. `native_id` is the task's own number (Slurm's JobIDRaw), `array_id` the number
    that submit returned, `node` the first node's short name."""

    name: str
    native_id: str
    array_id: str
    task_index: int | None
    account: str
    node: str


def resolve_output(pattern: str, of: Execution) -> str:
    """The file name that sbatch makes from a pattern (man sbatch, "filename pattern"): %j %A %a %x %u %N %n %t %s %J,
    with a width for numbers, and %%. Anything else stays as it is."""
    index = _NO_INDEX if of.task_index is None else of.task_index
    texts = {
        "j": of.native_id,
        "J": f"{of.native_id}.batch",
        "A": of.array_id,
        "a": str(index),
        "x": of.name.replace("/", "_").replace("\\", "_"),
        "u": of.account,
        "N": of.node,
        "n": "0",
        "t": "0",
        "s": "batch",
    }

    def one(found: re.Match[str]) -> str:
        if found[1] == "%":
            return "%"
        text = texts[found[3]]
        return text.zfill(min(int(found[2] or 0), _WIDTH_MOST)) if found[3] in "jAant" else text

    return _PLACEHOLDER.sub(one, pattern)


def default_output(*, is_array: bool) -> str:
    return "slurm-%A_%a.out" if is_array else "slurm-%j.out"

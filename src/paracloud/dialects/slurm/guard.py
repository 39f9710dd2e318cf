"""Guarded submission: one remote step for a whole batch, and the reading of its answers."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from paracloud.dialects.slurm.answers import broken, output_of, unreachable
from paracloud.dialects.slurm.directive import folders_of
from paracloud.dialects.slurm.guard_program import GUARD_PROGRAM
from paracloud.dialects.slurm.script import GUARD_FOLDER
from paracloud.dialects.slurm.table import rows
from paracloud.dialects.slurm.text import is_tag, native_name, tag_of
from paracloud.dialects.text import count, printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Refused, Unreachable
from paracloud.kit.identifiers import NativeId, SubmitTag

LOCK_WAIT_SECONDS = 10
PATIENCE_SECONDS = 25
"""For one call of Slurm; its clients give up after MessageTimeout, mostly 10 to 20 s."""
TAGS_AT_A_TIME = 4
"""Measured: four sbatch at once double the rate of a plain loop; more only load the login node."""

_ESCAPES = {byte: f"\\x{byte:02x}" for byte in range(256) if not 0x21 <= byte <= 0x7E or byte == ord("\\")}

Answer: TypeAlias = NativeId | Refused | Unreachable

# Both listings have the shape ID, nonce, name; only this account's own jobs count.
_FIND = r"""
squeue -h -a -t all -u "$EUID" -n "$2" -o "%F$1%.40j" || exit
TZ=UTC0 sacct -X -n -P -D -u "$EUID" --name="$2" -S "$3" --delimiter="$1" -o JobID,JobName
"""


def submit(batch: Mapping[SubmitTag, str], nonce: str) -> Command[Mapping[SubmitTag, Answer]]:
    if not all(is_tag(tag) for tag in batch):
        raise ValueError("a tag is 32 hexadecimal digits")
    settings = (str(LOCK_WAIT_SECONDS), str(PATIENCE_SECONDS), str(TAGS_AT_A_TIME))
    argv = ("bash", "-c", GUARD_PROGRAM, "paracloud-guard", nonce, GUARD_FOLDER, *settings)
    folders = {tag: "\n".join(folders_of(text)) for tag, text in batch.items()}
    lines = [f"{tag} {_encoded(text)} {_encoded(folders[tag])} .\n" for tag, text in batch.items()]

    def parse(completed: Completed) -> Mapping[SubmitTag, Answer]:
        answers = dict(_answers(completed, nonce, batch, argv))
        reason = completed.stderr.decode(errors="replace") or "the answer was cut"
        return {tag: answers.get(tag) or unreachable(reason) for tag in batch}

    return Command(
        argv=argv,
        parse=parse,
        stdin="".join(lines).encode(),
        timeout=timedelta(seconds=120) + len(batch) * timedelta(milliseconds=250),
        limit_bytes=4096 + 4096 * len(batch),
        cost=len(batch),
    )


def find(tags: Sequence[SubmitTag], since: datetime, nonce: str) -> Command[Mapping[SubmitTag, NativeId]]:
    """To be run as the account that submitted: another account's job may carry any name."""
    if not all(is_tag(tag) for tag in tags):
        raise ValueError("a tag is 32 hexadecimal digits")
    names = ",".join(native_name(tag) for tag in tags)
    argv = ("bash", "-c", _FIND, "paracloud-find", nonce, names, since.strftime("%Y-%m-%dT%H:%M:%S"))

    def parse(completed: Completed) -> Mapping[SubmitTag, NativeId]:
        found: dict[SubmitTag, int] = {}
        for number, name in rows(output_of(completed, argv), nonce, 2, completed, argv):
            tag = tag_of(name.strip())
            if tag is not None and tag in tags:
                job = _number(number.partition("_")[0], completed, argv)
                found[tag] = min(found.get(tag, job), job)
        return {tag: NativeId(str(job)) for tag, job in found.items()}

    return Command(argv=argv, parse=parse, cost=2)


def _encoded(text: str) -> str:
    """One word for bash's `printf %b`, which starts no process to read it."""
    return text.encode().decode("latin-1").translate(_ESCAPES)


def _answers(
    completed: Completed, nonce: str, batch: Mapping[SubmitTag, str], argv: Sequence[str]
) -> list[tuple[SubmitTag, Answer]]:
    """Start-up files may write anything around the answers, so only lines that begin with the nonce count, and of
    them only those that are whole."""
    answers: dict[SubmitTag, Answer] = {}
    for line in completed.stdout.decode(errors="replace").split("\n"):
        words = line.split()
        if not words or words[0] != nonce or words[-1] != ".":
            continue
        if len(words) != 5 or words[1] not in batch or words[1] in answers:
            raise broken("answered for a job that was not asked about", "答复了未询问的作业", completed, argv)
        tag = SubmitTag(words[1])
        answers[tag] = _answer(words[2], words[3], completed, argv)
    return list(answers.items())


def _answer(kind: str, value: str, completed: Completed, argv: Sequence[str]) -> Answer:
    if kind == "id":
        return NativeId(str(_number(value, completed, argv)))
    try:
        reason = base64.b64decode(value, validate=True).decode(errors="replace").removeprefix("x")
    except (binascii.Error, ValueError):
        raise broken("gave a reason that cannot be read", "给出的原因无法读取", completed, argv) from None
    if kind == "refused":
        return _refused(reason)
    if kind == "unsure":
        return unreachable(_said(reason))
    raise broken("gave an answer of an unknown kind", "给出了未知类型的答复", completed, argv)


def _number(text: str, completed: Completed, argv: Sequence[str]) -> int:
    try:
        return count(text)
    except ValueError:
        raise broken("gave a job number that is none", "给出的作业号无效", completed, argv) from None


def _said(reason: str) -> str:
    """Slurm's own words, without the command's name before each line."""
    lines = [line.partition("error: ")[2] or line for line in reason.splitlines()]
    return printable("; ".join(line.strip() for line in lines if line.strip()), 500)


def _refused(reason: str) -> Refused:
    said = _said(reason)
    return Refused(
        f"The centre's Slurm refused the job: {said}. Change what it names and submit again.",
        f"该中心的 Slurm 拒绝了作业：{said}。请修改后重新提交。",
        field="queue" if "artition" in said else None,
    )

"""Guarded submission: one remote step for a whole batch, and the reading of its answers. A scheduler fills in what it
says itself."""

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias

from paracloud.dialects.answers import Answers, broken
from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.tags import is_tag
from paracloud.dialects.text import printable
from paracloud.dialects.weight import Weight, together
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Refused, Unreachable
from paracloud.kit.identifiers import NativeId, SubmitTag

LOCK_WAIT_SECONDS = 10
PATIENCE_SECONDS = 25
"""For one call of the scheduler; Slurm's clients give up after MessageTimeout, mostly 10 to 20 s."""
TAGS_AT_A_TIME = 4
"""Measured: four sbatch at once double the rate of a plain loop; more only load the login node."""

_ESCAPES = {byte: f"\\x{byte:02x}" for byte in range(256) if not 0x21 <= byte <= 0x7E or byte == ord("\\")}

Answer: TypeAlias = NativeId | Refused | Unreachable


class Weigh(Protocol):
    def __call__(self, script: str, /, *, is_retry: bool) -> Weight: ...


@dataclass(frozen=True, slots=True)
class Guard:
    """Of one scheduler. `program` is made by `guard_program`. `folders_of` names the folders that a script needs before
    it starts, `native_id` reads an id (ValueError for what is none), `field_of` guesses from the words of a refusal
    which field of the job is at fault, `weigh` knows how many commands `program` runs."""

    answers: Answers
    program: str
    folders_of: Callable[[str], list[str]]
    native_id: Callable[[str], NativeId]
    field_of: Callable[[str], str | None]
    weigh: Weigh

    def submit(
        self, batch: Mapping[SubmitTag, str], nonce: str, retried: Collection[SubmitTag] = ()
    ) -> Command[Mapping[SubmitTag, Answer]]:
        require_tags(batch)
        settings = (str(LOCK_WAIT_SECONDS), str(PATIENCE_SECONDS), str(TAGS_AT_A_TIME))
        argv = ("bash", "-c", self.program, "paracloud-guard", nonce, GUARD_FOLDER, *settings)
        folders = {tag: "\n".join(self.folders_of(text)) for tag, text in batch.items()}
        lines = [f"{tag} {_encoded(text)} {_encoded(folders[tag])} .\n" for tag, text in batch.items()]

        def parse(completed: Completed) -> Mapping[SubmitTag, Answer]:
            answers = dict(self._answers(completed, nonce, batch, argv))
            reason = completed.stderr.decode(errors="replace") or "the answer was cut"
            return {tag: answers.get(tag) or self.answers.unreachable(reason) for tag in batch}

        return Command(
            argv=argv,
            parse=parse,
            stdin="".join(lines).encode(),
            timeout=timedelta(seconds=120) + len(batch) * timedelta(milliseconds=250),
            limit_bytes=4096 + 4096 * len(batch),
            cost=together(self.weigh(text, is_retry=tag in retried) for tag, text in batch.items()),
        )

    def id_of(self, text: str, completed: Completed, argv: Sequence[str]) -> NativeId:
        try:
            return self.native_id(text)
        except ValueError:
            raise broken("gave a job number that is none", "给出的作业号无效", completed, argv) from None

    def _answers(
        self, completed: Completed, nonce: str, batch: Mapping[SubmitTag, str], argv: Sequence[str]
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
            answers[SubmitTag(words[1])] = self._answer(words[2], words[3], completed, argv)
        return list(answers.items())

    def _answer(self, kind: str, value: str, completed: Completed, argv: Sequence[str]) -> Answer:
        if kind == "id":
            return self.id_of(value, completed, argv)
        try:
            reason = base64.b64decode(value, validate=True).decode(errors="replace").removeprefix("x")
        except (binascii.Error, ValueError):
            raise broken("gave a reason that cannot be read", "给出的原因无法读取", completed, argv) from None
        if kind == "refused":
            return self._refused(_said(reason))
        if kind == "unsure":
            return self.answers.unreachable(_said(reason))
        raise broken("gave an answer of an unknown kind", "给出了未知类型的答复", completed, argv)

    def _refused(self, said: str) -> Refused:
        name = self.answers.scheduler
        return Refused(
            f"The centre's {name} refused the job: {said}. Change what it names and submit again.",
            f"该中心的 {name} 拒绝了作业：{said}。请修改后重新提交。",
            field=self.field_of(said),
        )


def require_tags(tags: Iterable[SubmitTag]) -> None:
    """ValueError where one of them is no tag."""
    if not all(is_tag(tag) for tag in tags):
        raise ValueError("a tag is 32 hexadecimal digits")


def _encoded(text: str) -> str:
    """One word for bash's `printf %b`, which starts no process to read it."""
    return text.encode().decode("latin-1").translate(_ESCAPES)


def _said(reason: str) -> str:
    """The scheduler's own words, without the command's name before each line, nor qsub's farewell."""
    lines = [line.partition("error: ")[2] or line for line in reason.splitlines() if line != "Exiting."]
    return printable("; ".join(line.strip() for line in lines if line.strip()), 500)

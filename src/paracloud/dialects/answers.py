"""What every answer of a scheduler's command is checked for before it is read: did it come, and is it whole?"""

from collections.abc import Sequence
from dataclasses import dataclass

from paracloud.dialects.text import printable
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Invalid, Unreachable


@dataclass(frozen=True, slots=True)
class Answers:
    """Of one scheduler: its name for people, and what its commands write when a daemon behind them did not answer."""

    scheduler: str
    silent: tuple[str, ...]

    def output_of(self, completed: Completed, argv: Sequence[str]) -> str:
        """The output of a command that went well. Unreachable where a daemon was silent, Broken for any other failure
        and for an output that was cut."""
        stderr = completed.stderr.decode(errors="replace")
        if any(sign in stderr for sign in self.silent):
            raise self.unreachable(stderr)
        if completed.truncated:
            raise broken("answered more than the limit allows", "输出超过上限", completed, argv)
        if completed.exit_status != 0:
            raise broken(f"failed: {printable(stderr, 300)}", f"失败：{printable(stderr, 300)}", completed, argv)
        return completed.stdout.decode(errors="replace")

    def unreachable(self, reason: str) -> Unreachable:
        text = printable(reason, 300) or "no answer"
        return Unreachable(
            f"{self.scheduler} does not answer at this centre ({text}). Nothing is lost; it is asked again.",
            f"该中心的 {self.scheduler} 没有应答（{text}）。没有丢失任何内容，稍后会重试。",
        )


def broken(en: str, zh: str, completed: Completed, argv: Sequence[str]) -> Broken:
    command = next((word for word in argv if word != "env" and "=" not in word), "command")
    return Broken(
        f"The centre's {command} {en}. Run it at the centre by hand and mend what it says.",
        f"该中心的 {command} {zh}。请在中心手工运行并按其提示修复。",
        argv=argv,
        exit_status=completed.exit_status,
        evidence=completed.stderr + completed.stdout,
    )


def one_word(values: Sequence[str], field: str) -> str:
    """Names for an option that takes a list. Invalid where one of them could be read as something else."""
    for value in values:
        if not value or not value.isprintable() or value.startswith("-") or any(c in value for c in ", \t'\"\\"):
            raise Invalid(
                f"{value!r} is not a {field} that a scheduler can be asked about.",
                f"{value!r} 不是可以向调度器查询的{field}。",
                field=field,
            )
    return ",".join(values)

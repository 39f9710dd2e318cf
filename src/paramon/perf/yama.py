"""Whether it may be seen where a thread sleeps. Of all that is read of a process, its stack and its system call alone
need what a debugger does (PTRACE_MODE_ATTACH, ptrace(2)), which Yama may forbid (admin-guide/LSM/Yama.rst of Linux)."""

from __future__ import annotations

from paramon.sensors.file import text

OWN_ALONE, PRIVILEGED, NOBODY = 1, 2, 3
"""Of kernel.yama.ptrace_scope: who descends from who looks; who has CAP_SYS_PTRACE; nobody at all."""
CAP_SYS_PTRACE = 19


def why_unseen(*, is_attached: bool, proc: str = "/proc") -> tuple[str, str] | None:
    """In English and in Chinese; None where nothing is forbidden. `is_attached`: the processes are none of our own."""
    told = text(f"{proc}/sys/kernel/yama/ptrace_scope")
    scope = int(told) if told.isdecimal() else 0
    if scope < OWN_ALONE or (scope == OWN_ALONE and not is_attached) or (scope < NOBODY and _may_trace(proc)):
        return None
    ways = {OWN_ALONE: ("0, CAP_SYS_PTRACE, or `paramon run`", "0、CAP_SYS_PTRACE 或 `paramon run`"),
            PRIVILEGED: ("0, or CAP_SYS_PTRACE", "0 或 CAP_SYS_PTRACE")}  # fmt: skip
    en, zh = ways.get(scope, ("0, which needs a restart", "0（需重启）"))
    return (
        f"where ranks sleep may not be seen: kernel.yama.ptrace_scope is {scope} (it takes {en}); their sleep counts as"
        " MPI's or not by what they ran last",
        f"无权查看 MPI 进程睡眠位置：kernel.yama.ptrace_scope 为 {scope}（需要 {zh}）；睡眠时间按其最后运行的代码归属",
    )


def _may_trace(proc: str) -> bool:
    _, _, told = text(f"{proc}/self/status").partition("\nCapEff:")
    return bool(told) and bool(int(told.split(None, 1)[0], 16) >> CAP_SYS_PTRACE & 1)

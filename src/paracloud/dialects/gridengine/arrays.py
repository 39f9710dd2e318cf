"""Array jobs. Grid Engine counts tasks from 1, Slurm's users from 0: task N of a job of ours is Grid Engine's N + 1."""

import re

from paracloud.kit.errors import Unsupported

_RANGE = re.compile(r"(\d{1,7})(?:-(\d{1,7})(?::(\d{1,7}))?)?(?:%(\d{1,7}))?", re.ASCII)
NO_TASK = frozenset({"0", "", "undefined"})
"""What stands for a task's number where the job is no array."""


def options(array: str) -> list[str]:
    """Of qsub. Unsupported for lists such as 1,3,7: Grid Engine has one range for a job."""
    match = _RANGE.fullmatch(array)
    if not match:
        raise Unsupported(
            f"--array={array[:60]}: Grid Engine knows one range with a step, such as 0-9:2%4; submit the parts of a "
            "list as jobs of their own.",
            f"--array={array[:60]}：Grid Engine 只支持一个带步长的范围，例如 0-9:2%4；请把列表的各部分分别提交。",
            field="array",
        )
    first, last, step, limit = match.groups()
    tasks = f"{int(first) + 1}-{int(last or first) + 1}:{int(step or 1) or 1}"
    return [f"-t {tasks}", *([f"-tc {int(limit)}"] if limit and int(limit) else [])]


def task_index(number: int, *, is_ours: bool) -> int:
    """What the user calls the task; of an array that was submitted by hand, Grid Engine's own number."""
    return number - 1 if is_ours else number

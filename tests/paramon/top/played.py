"""A job's profile to look at, and top without a terminal."""

import subprocess
import sys

from tests.paramon.made import Made
from tests.paramon.top.screen import environment


def a_job(folder, seconds: int = 30, **header) -> Made:
    """Rank 1 takes most CPU, rank 0 most memory, the launcher most I/O."""
    made = Made(folder, **header)
    made.comes(1, name="mpirun", command="mpirun a.out")
    for rank in range(2):
        made.comes(2 + rank, rank=rank, parent=1001, command=f"./a.out part{rank}")
    for second in range(seconds):
        more(made, second)
    return made


def more(made: Made, second: int) -> None:
    made.tick(
        second * 1000,
        {
            1: {"write_chars": second * 5_000_000, "state": ord("S")},
            2: {"user_ticks": second * 20, "rss_kib": 4 << 20},
            3: {"user_ticks": second * 90, "rss_kib": 1 << 20, "run_wait_us": second * 300_000},
        },
        memory__total_kib=8 << 20, memory__available_kib=2 << 20, cpu__user_ticks=second * 110,
        cpu__idle_ticks=second * 290, gpu__0__sm_permille=second, gpu__0__memory_used_kib=1 << 20,
        gpu__0__memory_total_kib=4 << 20, gpu__0__power_mw=310_000,
    )  # fmt: skip


def order(lines) -> list[str]:
    return [part for line in lines for part in ("part0", "part1", "mpirun a.out") if line.rstrip().endswith(part)]


def top(*arguments, **more):
    argv = [sys.executable, "-m", "paramon", "top", *map(str, arguments)]
    return subprocess.run(argv, env=environment(), capture_output=True, text=True, timeout=60, check=False, **more)

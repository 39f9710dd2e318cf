"""Pages of profiles, and a job's to make one of."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paramon.made import Made

from paramon.facts.job import JobFacts
from paramon.sample.profile import open_profile
from paramon.show.page import page
from paramon.show.sheet import Sheet

ROOT = Path(__file__).parents[3]


def shown(path, *, is_chinese=False, columns=120) -> str:
    return page(JobFacts(open_profile(str(path))), Sheet(is_chinese=is_chinese, columns=columns))


def paramon(*arguments, **environment):
    known = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "LC_ALL": "C.UTF-8",
        "PARACLOUD_LANGUAGE": "",
        "COLUMNS": "120",
        **environment,
    }
    argv = [sys.executable, "-m", "paramon", *map(str, arguments)]
    return subprocess.run(argv, env=known, capture_output=True, text=True, timeout=60, check=False)


def a_job(folder: Path, **header) -> Made:
    made = Made(folder, **header)
    made.comes(1, name="mpirun", command="mpirun ./a.out")
    for rank in range(2):
        made.comes(2 + rank, rank=rank, parent=1001)
    made.tick(0, cpu__user_ticks=0, cpu__idle_ticks=0, memory__total_kib=8 << 20, memory__available_kib=6 << 20,
              net__eth0__receive_bytes=0, psi__cpu_percent=3, paramon__cpu_us=100)  # fmt: skip
    made.tick(1000, {2: {"user_ticks": 90, "rss_kib": 1 << 20, "read_calls": 10, "read_chars": 10240},
                     3: {"user_ticks": 30, "rss_kib": 1 << 20}}, cpu__user_ticks=120, cpu__idle_ticks=280,
              net__eth0__receive_bytes=5 << 20, memory__available_kib=4 << 20)  # fmt: skip
    made.tick(2000, {2: {"user_ticks": 180, "rss_kib": 2 << 20}, 3: {"user_ticks": 60}}, psi__cpu_percent=9)
    return made

"""Commands that were run with paramon, and their profiles."""

import os
import subprocess
import sys
from pathlib import Path

from paramon.sample.profile import open_profile
from paramon.schedulers import OF_A_JOB

ROOT = Path(__file__).parents[2]


BURN = "import time\nwhile time.process_time() < {}: pass"


IGNORES = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""


def paramon(
    *arguments: str, job: dict[str, str] | None = None, is_small: bool = False, **more
) -> subprocess.CompletedProcess[str]:
    """`job`: what a scheduler tells one; none of it where nobody is in a job."""
    told = {name for names in OF_A_JOB for name in names}
    outside = {name: text for name, text in os.environ.items() if name not in told}
    environment = {**outside, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8", "PARACLOUD_LANGUAGE": ""}
    # From a small process: what one of many MiB starts has had as much, as far as the kernel knows (ru_maxrss).
    small = ["sh", "-c", '"$@"; exit $?', "sh"] if is_small else []
    return subprocess.run(
        [*small, sys.executable, "-m", "paramon", *arguments],
        check=False,
        env={**environment, **(job or {})},
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )


def ran(tmp_path: Path, *command: str, options: tuple[str, ...] = ()):
    done = paramon("run", "--folder", str(tmp_path / "profile"), *options, "--", *command)
    (node,) = open_profile(str(tmp_path / "profile"))
    return done, node


def everybody(node):
    """The processes of a whole profile: who they are is read with their samples."""
    for _ in node.chunks():
        pass
    return [*node.processes.values()]


def last_rows(node):
    found = {}
    for chunk in node.chunks():
        found.update({number: rows[-1][1] for number, rows in chunk.rows.items()})
    return found

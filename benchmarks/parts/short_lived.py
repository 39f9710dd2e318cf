"""How much of a job's CPU time is known to be its processes', where they live for milliseconds."""

import os
import subprocess
from pathlib import Path

from benchmarks.parts.collectors import PYTHON
from benchmarks.parts.figures import say
from paramon.sample.profile import open_profile

LOOP = 'end=$((SECONDS + {})); while [ $SECONDS -lt $end ]; do /bin/true; python3 -I -S -c ""; done'
"""Processes of about four milliseconds."""
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def completeness(pyz: Path, folder: Path, seconds: int) -> dict[str, float | None]:
    """As it is for root, who is told of each end by the kernel, and for a user, whose parents of processes tell of them
    later. None for root where it is not root that asks."""
    is_root = os.getuid() == 0
    pyz.parent.chmod(0o755)
    return {
        "completeness": _one(pyz, folder / "root", seconds) if is_root else None,
        "completeness_user": _one(pyz, folder / "user", seconds, NOBODY if is_root else ()),
    }


def _one(pyz: Path, folder: Path, seconds: int, prefix: tuple[str, ...] = ()) -> float:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    argv = [*prefix, PYTHON, str(pyz), "run", "--folder", str(folder), "--", "bash", "-c", LOOP.format(seconds)]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    (node,) = open_profile(str(folder))
    if node.end is None:
        raise RuntimeError("the profile of the short-lived processes has no end")
    say(f"short-lived processes, {'without' if 'exits' in node.header['unavailable'] else 'with'} records: {node.end}")
    return float(node.end["completeness"])

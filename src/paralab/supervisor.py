"""Holds a lab: every centre's box, and a MariaDB where one needs it, are its children and die with it, however it dies.

Run as `python -m paralab.supervisor LAB_FOLDER`; `plan.json` there says what to hold.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from paralab.mariadb import command as mariadb_command

BOX = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def main() -> None:
    folder = Path(sys.argv[1])
    plan = json.loads((folder / "plan.json").read_text())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    children = []
    if (port := plan["database_port"]) is not None:
        children.append(_start([*BOX, *mariadb_command(folder / "mariadb", port)], folder / "mariadb.log"))
    pids: dict[str, int] = {}
    for name, site in plan["sites"].items():
        box = [*BOX, "--uts", sys.executable, "-m", "paralab.box", site]
        child = _start(box, folder / f"{name}.log")
        children.append(child)
        pids[name] = _first_child(child)
    _write_whole(folder / "pids.json", json.dumps(pids))
    try:
        for child in children:
            child.wait()
    finally:
        for child in children:
            child.kill()
            child.wait()


def _write_whole(file: Path, text: str) -> None:
    """Whoever waits for it never reads half of it."""
    partial = file.with_suffix(".partial")
    partial.write_text(text)
    partial.rename(file)


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def _first_child(process: subprocess.Popen[bytes]) -> int:
    """The box's own first process as this namespace sees it: who enters the box enters by it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.01)
    raise SystemExit("a box did not start; see its log")


if __name__ == "__main__":
    main()

"""Slurm's commands as three small programs over a folder, so that the real guard can be run, killed and repeated
against every kind of answer. What Slurm itself does with it is a live test."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from paracloud.dialects.records import Request
from paracloud.dialects.slurm.script import script
from paracloud.kit.command import Command, Completed

_SBATCH = """#!/bin/bash
echo "${!SBATCH_@}" >>"$STAND_IN/environment"; umask >>"$STAND_IN/umask"; pwd >>"$STAND_IN/places"
echo call >>"$STAND_IN/calls"
name=$(sed -n 's/^#SBATCH --job-name=//p' "${@: -1}")
mode=$(cat "$STAND_IN/mode" 2>/dev/null)
accept() {
  exec 8>>"$STAND_IN/lock"; flock 8
  id=$((41000 + $(wc -l <"$STAND_IN/jobs"))); echo "$id $name" >>"$STAND_IN/jobs"
}
case $mode in
  "") sleep "0.0$((RANDOM % 10))"; accept; sleep "0.0$((RANDOM % 10))"; echo "$id;east" ;;
  lost) sleep 0.3; accept; echo "sbatch: error: Batch job submission failed: Socket timed out" >&2; exit 1 ;;
  hangs) accept; echo "$BASHPID" >"$STAND_IN/pid"; exec sleep 1000 ;;
  late*) accept; printf '%s\\n' "${mode#late}" >&2; exit 1 ;;
  *) printf '%s\\n' "$mode" >&2; exit 1 ;;
esac
"""
_LISTING = """#!/bin/bash
echo call >>"$STAND_IN/@NAME@.calls"
if [ -e "$STAND_IN/@NAME@.silent" ]; then echo "@NAME@: error: Unable to contact" >&2; exit 1; fi
[ -e "$STAND_IN/@NAME@.empty" ] && exit 0
name=$(printf '%s\\n' "$@" | grep -o 'pc-[0-9a-f]*')
sed -n "s/ $name\\$//p" "$STAND_IN/jobs"
"""


@dataclass
class StandIn:
    """A login node with its Slurm. `mode` is what sbatch does next: empty accepts, `lost` accepts and does not say so,
    `hangs` accepts and never ends, `late TEXT` accepts and refuses with TEXT, all else fails with that text."""

    folder: Path

    def __post_init__(self) -> None:
        for name, text in self.programs().items():
            path = self.folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        self.home.mkdir()
        (self.folder / "jobs").touch()

    def programs(self) -> dict[str, str]:
        listings = {name: _LISTING.replace("@NAME@", name) for name in ("squeue", "sacct")}
        return {"sbatch": _SBATCH, **listings}

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def set(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def count(self, name: str) -> int:
        path = self.folder / name
        return len(path.read_text().splitlines()) if path.exists() else 0

    def jobs(self) -> list[str]:
        return (self.folder / "jobs").read_text().splitlines()

    def start(self, command: Command, **variables: str) -> subprocess.Popen[bytes]:
        paths = f"{self.folder}/bin:{os.environ['PATH']}"
        environment = {"PATH": paths, "HOME": str(self.home), "STAND_IN": str(self.folder), **variables}
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
        process.stdin.write(command.stdin)
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, command: Command, **variables: str) -> Completed:
        process = self.start(command, **variables)
        out, err = process.communicate(timeout=60)
        return Completed(process.returncode, out, err)

    def ask(self, command: Command, **variables: str):
        return command.parse(self.run(command, **variables))

    def kill(self, command: Command, after_seconds: float) -> None:
        """Kill -9 of the guard and of all that it started and did not send away."""
        process = self.start(command)
        time.sleep(after_seconds)  # the point of the blow, not a wait for anything
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def request(**changes) -> Request:
    tag = changes.pop("tag", uuid4().hex)
    fields = {
        "tag": tag,
        "name": "x",
        "script": "#!/bin/bash\ntrue\n",
        "work_directory": f"paracloud/{tag}",
        "queue": "cpu",
        "tasks": 1,
        "cores_per_task": 1,
        "wall_limit": timedelta(minutes=1),
    }
    return Request(**(fields | changes))


def batch(*requests: Request) -> dict[str, str]:
    return {one.tag: script(one) for one in requests}

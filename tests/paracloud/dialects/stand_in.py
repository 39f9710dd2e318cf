"""A login node with a scheduler's commands as small programs over a folder, so that the real guard can be run, killed
and repeated against every kind of answer. What a real scheduler does with it is a live test."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.records import Request
from paracloud.kit.command import Command, Completed

CLIENT = """
compgen -e >>"$STAND_IN/environment"; umask >>"$STAND_IN/umask"; pwd >>"$STAND_IN/places"
echo "$*" >>"$STAND_IN/calls"
mode=$(cat "$STAND_IN/mode" 2>/dev/null)
accept() {
  exec 8>>"$STAND_IN/lock"; flock 8
  id=$((41000 + $(wc -l <"$STAND_IN/jobs")))$suffix; echo "$id $name" >>"$STAND_IN/jobs"
}
case $mode in
  "") sleep "0.0$((RANDOM % 10))"; accept; sleep "0.0$((RANDOM % 10))"; echo "$id$tail" ;;
  lost) sleep 0.3; accept; echo "$silence" >&2; exit 1 ;;
  hangs) accept; echo "$BASHPID" >"$STAND_IN/pid"; exec sleep 1000 ;;
  late*) accept; printf '%s\\n' "${mode#late}" >&2; exit 1 ;;
  *) printf '%s\\n' "$mode" >&2; exit 1 ;;
esac
"""
"""How every client that submits goes on once it has read its options: `name` is the job's, `suffix` belongs to its id,
as it is kept and printed, `tail` is printed behind it, `silence` is what it says without an answer."""


@dataclass
class StandIn:
    """`mode` is what the client does next: empty accepts, `lost` accepts and does not say so, `hangs` accepts and never
    ends, `late TEXT` accepts and refuses with TEXT, all else fails with that text. A look-up gives no answer where
    there is a file NAME.silent, and lists nothing where there is NAME.empty."""

    PROGRAMS: ClassVar[Mapping[str, str]]
    LISTING: ClassVar[str]
    """The program that is asked first what there is."""
    SUFFIX: ClassVar[str] = ""
    """Of an id as the scheduler shows it."""

    folder: Path
    dialect: Dialect

    def __post_init__(self) -> None:
        for name, text in self.PROGRAMS.items():
            path = self.folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        self.home.mkdir()
        (self.folder / "jobs").touch()

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def folder_of(self, job: Request) -> Path:
        """The guard's own."""
        return self.home / ".paracloud/jobs" / job.tag

    def set(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def count(self, name: str) -> int:
        path = self.folder / name
        return len(path.read_text().splitlines()) if path.exists() else 0

    def jobs(self) -> list[str]:
        return (self.folder / "jobs").read_text().splitlines()

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def submission(self, *requests: Request) -> Command:
        return self.dialect.submit({one.tag: self.dialect.script(one) for one in requests})

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

    def ask_all_at_once(self, command: Command, number: int) -> list:
        guards = [self.start(command) for _ in range(number)]
        return [command.parse(Completed(0, *guard.communicate(timeout=60))) for guard in guards]

    def lose(self, command: Command):
        """The job is accepted, and nobody is told; the client is well again afterwards."""
        self.set("mode", "lost")
        answer = self.ask(command)
        self.set("mode")
        return answer

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

"""A centre that does not play fair: its Slurm commands are whatever the attacker wrote, in the accounts that the centre
lends and behind its real sshd. Nothing on our side is replaced."""

import os
import shutil
from pathlib import Path

COMMANDS = ("squeue", "sacct", "sbatch", "scontrol", "scancel")
_START_UP = 'export PATH="$HOME/bin:$PATH"\n'
_PROGRAM = """#!/usr/bin/python3
# Every command keeps count of its calls, then does what the file of its name in ~/attack says.
import os, signal, sys, time
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
name = os.path.basename(sys.argv[0])
home = os.path.expanduser("~")
words = sys.argv[1:]
with open(home + "/attack/calls", "a") as calls:
    calls.write(name + "\\n")
def option(flag):
    return words[words.index(flag) + 1] if flag in words else ""
def listing_nonce():
    return option("-o").removeprefix("%F|%K|%u|%T|%V|%S|%N|%r").removesuffix("%.40j")
def delimiter():
    return next((word.partition("=")[2] for word in words if word.startswith("--delimiter=")), "")
def say(text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    sys.stdout.buffer.write(data)
def row(**values):
    "One whole row of squeue, as an honest one would be."
    said = dict(id="1", task="N/A", user="pc01", state="RUNNING", submitted="1780300000", started="1780300000",
                nodes="n1", reason="None", name="x") | values
    first = "|".join(said[key] for key in ("id", "task", "user", "state", "submitted", "started", "nodes", "reason"))
    say(first + listing_nonce() + said["name"].rjust(40) + "\\n")
def record(**values):
    "One whole row of sacct."
    said = dict(raw="1", id="1", user="pc01", partition="cpu", state="COMPLETED", exit="0:0", submit="1780300000",
                start="1780300000", end="1780300600", elapsed="600", cpus="1", nodes="1",
                tres="cpu=1,mem=100M,node=1", list="n1", qos="normal", name="x") | values
    say(delimiter().join(said.values()) + "\\n")
with open(home + "/attack/" + name, "rb") as attack:
    exec(attack.read().decode("utf-8", "surrogateescape"))
"""


class Attacker:
    """One account at the centre. `plays` says what its commands do, in Python, with `row` and `record` at hand;
    what is not said answers nothing, and well."""

    def __init__(self, home: Path, owner: int) -> None:
        self._attack = home / "attack"
        for folder in (home / "bin", self._attack):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name in COMMANDS:
            (home / "bin" / name).write_text(_PROGRAM)
            (home / "bin" / name).chmod(0o755)
        (home / ".bashrc").write_text(_START_UP)
        (self._attack / "calls").touch()
        os.chown(self._attack / "calls", owner, owner)
        self.plays()

    def plays(self, **attacks: str) -> None:
        for name in COMMANDS:
            partial = self._attack / f".{name}"
            partial.write_text(attacks.get(name, ""))
            partial.rename(self._attack / name)

    def calls(self) -> list[str]:
        return (self._attack / "calls").read_text().split()

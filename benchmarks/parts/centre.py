"""One real centre for a benchmark: what is built, and what its own daemons counted of the requests they answered."""

import re
from collections import Counter
from dataclasses import dataclass

from paralab.inventory import Inventory, parse
from paralab.running import RunningCentre

NAME = "bench"
QUEUE = "cpu"
INVENTORY = f"""
[centre.{NAME}]
accounts = 4
[centre.{NAME}.partition.{QUEUE}]
nodes = 4
cores = 32
memory_mib = 64000
max_time = "1-00:00:00"
default = true
"""
"""128 cores that only count: every contestant's trivial jobs share this machine's real ones."""
ROW = re.compile(r"^\s+(\S+)\s+\(\s*\d+\) count:(\d+)", re.MULTILINE)
BY_USER = "Remote Procedure Call statistics by user"


@dataclass(frozen=True, slots=True)
class Requests:
    """Since the daemons began. One sbatch is one request to slurmctld, other commands may make a few; root's are the
    nodes' own and are left out. One sacct is one query to slurmdbd."""

    to_slurmctld: int
    to_slurmdbd: int
    types: Counter[str]
    """To slurmctld, root's included."""

    @property
    def submissions(self) -> int:
        return self.types["REQUEST_SUBMIT_BATCH_JOB"]

    @property
    def total(self) -> int:
        return self.to_slurmctld + self.to_slurmdbd

    def since(self, before: "Requests") -> "Requests":
        return Requests(
            self.to_slurmctld - before.to_slurmctld,
            self.to_slurmdbd - before.to_slurmdbd,
            self.types - before.types,
        )


def inventory() -> Inventory:
    return parse(INVENTORY)


def requests(centre: RunningCentre) -> Requests:
    """From sdiag and `sacctmgr show stats`: the daemons count each request that they answer, whoever asks and however,
    so neither a wrapper that is passed by nor a process that is too short to be seen can be missed."""
    types, users = _counts(centre, ["sdiag"])
    queries, _ = _counts(centre, ["sacctmgr", "show", "stats"])
    return Requests(
        to_slurmctld=sum(count for user, count in users.items() if user != "root"),
        to_slurmdbd=queries.get("DBD_GET_JOBS_COND", 0),
        types=Counter(types),
    )


def _counts(centre: RunningCentre, argv: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    said = centre.exec(argv)
    assert said.returncode == 0, said.stderr
    by_type, found, by_user = said.stdout.partition(BY_USER)
    assert found, said.stdout[:500]
    types, users = ({key: int(count) for key, count in ROW.findall(part)} for part in (by_type, by_user))
    return types, users

"""Where a centre that is being built stands: its folder, its ports, its names. Handed to the box as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from paralab.inventory import Centre, Partition, SchedulerName

PORTS_A_CENTRE = 200


@dataclass(frozen=True, slots=True)
class Site:
    """Ports from `port` on: 1 slurmctld or sge_qmaster, 2 slurmdbd or sge_execd, 22 sshd, 100 and on the slurmds."""

    centre: Centre
    folder: Path
    port: int
    first_uid: int
    first_job_id: int
    database_port: int
    database_name: str
    database_password: str
    cluster: str
    """The scheduler's own name for it: new for every build, so that accounting never mixes old and new jobs."""

    @property
    def host(self) -> str:
        return f"{self.centre.name}-login"

    @property
    def ssh_port(self) -> int:
        return self.port + 22

    def dump(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def load(cls, text: str) -> "Site":
        tree = json.loads(text)
        centre = tree.pop("centre")
        partitions = tuple(Partition(**table) for table in centre.pop("partitions"))
        scheduler = SchedulerName(centre.pop("scheduler"))
        shape = Centre(partitions=partitions, scheduler=scheduler, **centre)
        return cls(centre=shape, folder=Path(tree.pop("folder")), **tree)

"""The schedulers that centres can have."""

from collections.abc import Mapping

from paralab.gridengine.scheduler import GridEngine
from paralab.inventory import Centre, SchedulerName
from paralab.scheduler import Scheduler
from paralab.slurm.scheduler import Slurm

SCHEDULERS: Mapping[SchedulerName, Scheduler] = {
    SchedulerName.SLURM: Slurm(),
    SchedulerName.GRID_ENGINE: GridEngine(),
}


def scheduler_of(centre: Centre) -> Scheduler:
    return SCHEDULERS[centre.scheduler]

"""The formats of old accounting logs that are read, by the names that a command line gives them."""

from collections.abc import Mapping

from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.history import Reader
from paracloud.dialects.pbs import history as pbs
from paracloud.dialects.slurm import history as slurm

READERS: Mapping[str, Reader] = {"sacct": slurm.read, "gridengine": gridengine.read, "pbs": pbs.read}

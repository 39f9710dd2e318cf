"""The schedulers that the platform speaks, by name."""

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.slurm.dialect import SlurmDialect

DIALECTS: tuple[str, ...] = ("slurm", "gridengine")


def dialect_named(name: str) -> Dialect:
    """KeyError for a name that is not in DIALECTS: a centre is never connected with one."""
    dialects: dict[str, type[Dialect]] = {"slurm": SlurmDialect, "gridengine": GridEngineDialect}
    return dialects[name]()

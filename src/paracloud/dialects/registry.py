"""The schedulers that the platform speaks, by name."""

from collections.abc import Callable, Mapping

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.dialects.slurm.dialect import SlurmDialect

_MAKERS: Mapping[str, Callable[[], Dialect]] = {
    "slurm": SlurmDialect,
    "gridengine": GridEngineDialect,
    "openpbs": openpbs,
    "torque": torque,
}
DIALECTS: tuple[str, ...] = tuple(_MAKERS)


def dialect_named(name: str) -> Dialect:
    """KeyError for a name that is not in DIALECTS: a centre is never connected with one."""
    return _MAKERS[name]()

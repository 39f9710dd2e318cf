"""The schedulers that the platform speaks, by name."""

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.slurm.dialect import SlurmDialect

DIALECTS: tuple[str, ...] = ("slurm",)


def dialect_named(name: str) -> Dialect:
    """KeyError for a name that is not in DIALECTS: a centre is never connected with one."""
    return {"slurm": SlurmDialect}[name]()

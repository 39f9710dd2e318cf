"""Slurm's commands as small programs."""

from dataclasses import dataclass, field

from tests.paracloud.dialects.stand_in import CLIENT, StandIn

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.slurm.dialect import SlurmDialect

_SBATCH = """#!/bin/bash
name=$(sed -n 's/^#SBATCH --job-name=//p' "${@: -1}") tail=";east"
silence="sbatch: error: Batch job submission failed: Socket timed out"
"""
_LISTING = """#!/bin/bash
echo call >>"$STAND_IN/@NAME@.calls"
if [ -e "$STAND_IN/@NAME@.silent" ]; then echo "@NAME@: error: Unable to contact" >&2; exit 1; fi
[ -e "$STAND_IN/@NAME@.empty" ] && exit 0
name=$(printf '%s\\n' "$@" | grep -o 'pc-[0-9a-f]*')
sed -n "s/ $name\\$//p" "$STAND_IN/jobs"
"""


@dataclass
class SlurmStandIn(StandIn):
    PROGRAMS = {"sbatch": _SBATCH + CLIENT} | {name: _LISTING.replace("@NAME@", name) for name in ("squeue", "sacct")}
    LISTING = "squeue"

    dialect: Dialect = field(default_factory=SlurmDialect)

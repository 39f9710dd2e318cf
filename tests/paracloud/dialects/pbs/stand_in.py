"""PBS's commands as small programs. No PBS is in Debian, so what a real one does with the guard is not tested here."""

from dataclasses import dataclass, field

from tests.paracloud.dialects.stand_in import CLIENT, StandIn

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.pbs.dialect import openpbs

_QSUB = """#!/bin/bash
name=$(sed -n 's/^#PBS -N //p' "${@: -1}")
suffix=$(sed -n 's/^#PBS -[Jt] .*/[]/p' "${@: -1}").east
silence="qsub: cannot connect to server east (errno=15010)"
"""
# Its options are looked at, for a name is found by -N alone, and finished jobs by -x.
_QSELECT = """#!/bin/bash
echo "$*" >>"$STAND_IN/qselect.calls"
if [ -e "$STAND_IN/qselect.silent" ]; then echo "qselect: cannot connect to server east (errno=15010)" >&2; exit 1; fi
if [ -e "$STAND_IN/qselect.forgets" ] && [ "$1" = -x ]; then
  echo "qselect: PBS is not configured to maintain job history" >&2; exit 1
fi
[ -e "$STAND_IN/qselect.empty" ] && exit 0
[ "$(printf '%s\\n' "$@" | grep -A 1 -x -e -u | tail -n 1)" = "$(id -un)" ] || exit 2
name=$(printf '%s\\n' "$@" | grep -A 1 -x -e -N | tail -n 1)
sed -n "s/ $name\\$//p" "$STAND_IN/jobs"
"""


@dataclass
class PbsStandIn(StandIn):
    PROGRAMS = {"qsub": _QSUB + CLIENT, "qselect": _QSELECT}
    LISTING = "qselect"
    SUFFIX = ".east"

    dialect: Dialect = field(default_factory=openpbs)

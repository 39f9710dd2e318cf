"""Grid Engine's commands as small programs."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.paracloud.dialects.stand_in import CLIENT, StandIn

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.gridengine.dialect import GridEngineDialect

_QSUB = """#!/bin/bash
options=("$@")
while [ $# -gt 1 ]; do case $1 in -N) name=$2 ;; -t) tail=.$2 ;; esac; shift; done
set -- "${options[@]}"
silence="error: commlib error: got read error (closing connection)"
"""
_QSTAT = """#!/bin/bash
echo call >>"$STAND_IN/qstat.calls"
if [ -e "$STAND_IN/qstat.silent" ]; then echo "error: unable to contact qmaster" >&2; exit 1; fi
echo "<?xml version='1.0'?><job_info>"
if [ ! -e "$STAND_IN/qstat.empty" ]; then
  while read -r id name; do
    printf '<JB_job_number>%s</JB_job_number>\\n<full_job_name>%s</full_job_name>\\n' "$id" "$name"
  done <"$STAND_IN/jobs"
fi
echo "</job_info>"
"""
_QCONF = """#!/bin/bash
echo "$*" >>"$STAND_IN/qconf.calls"
if [ -e "$STAND_IN/qconf.silent" ]; then echo "error: unable to contact qmaster" >&2; exit 1; fi
case $* in
  "-sq "*) printf 'qname cpu\\npe_list make threads \\\\\\n  [host=spread],by-four old\\nrerun FALSE\\n' ;;
  "-sp make") printf 'pe_name make\\nallocation_rule $round_robin\\ncontrol_slaves FALSE\\n' ;;
  "-sp threads") printf 'pe_name threads\\nallocation_rule $pe_slots\\ncontrol_slaves FALSE\\n' ;;
  "-sp spread") printf 'pe_name spread\\nallocation_rule $round_robin\\ncontrol_slaves TRUE\\n' ;;
  "-sp by-four") printf 'pe_name by-four\\nallocation_rule 4\\ncontrol_slaves TRUE\\n' ;;
  *) echo "$2 is not a parallel environment" >&2; exit 1 ;;
esac
"""


@dataclass
class GridStandIn(StandIn):
    PROGRAMS = {"qsub": _QSUB + CLIENT, "qstat": _QSTAT, "qconf": _QCONF}
    LISTING = "qstat"

    dialect: Dialect = field(default_factory=GridEngineDialect)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.common.mkdir(parents=True)
        (self.common / "act_qmaster").touch()

    @property
    def common(self) -> Path:
        return self.folder / "sge/default/common"

    def start(self, command, **variables):
        return super().start(command, SGE_ROOT=str(self.folder / "sge"), **variables)

"""Grid Engine's commands as small programs over a folder, so that the real guard can be run, killed and repeated
against every kind of answer. What Grid Engine itself does with it is a live test."""

from dataclasses import dataclass

from tests.paracloud.dialects.slurm.stand_in import StandIn
from tests.paracloud.dialects.slurm.stand_in import request as slurm_request

from paracloud.dialects.gridengine.script import script
from paracloud.dialects.records import Request

_QSUB = """#!/bin/bash
echo "$*" >>"$STAND_IN/calls"
while [ $# -gt 1 ]; do [ "$1" = -N ] && name=$2; shift; done
mode=$(cat "$STAND_IN/mode" 2>/dev/null)
accept() {
  exec 8>>"$STAND_IN/lock"; flock 8
  id=$((41000 + $(wc -l <"$STAND_IN/jobs"))); echo "$id $name" >>"$STAND_IN/jobs"
}
case $mode in
  "") sleep "0.0$((RANDOM % 10))"; accept; sleep "0.0$((RANDOM % 10))"; echo "$id" ;;
  array) accept; echo "$id.1-9:2" ;;
  lost) sleep 0.3; accept; echo "error: commlib error: got read error (closing connection)" >&2; exit 1 ;;
  late*) accept; printf '%s\\n' "${mode#late}" >&2; exit 1 ;;
  *) printf '%s\\n' "$mode" >&2; exit 1 ;;
esac
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
    """`mode` is what qsub does next: empty accepts, `array` accepts as it would an array, `lost` accepts and does not
    say so, `late TEXT` accepts and refuses with TEXT, all else fails with that text."""

    def __post_init__(self) -> None:
        for name, text in (("qsub", _QSUB), ("qstat", _QSTAT), ("qconf", _QCONF)):
            path = self.folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        self.home.mkdir()
        (self.folder / "jobs").touch()
        self.common.mkdir(parents=True)
        (self.common / "act_qmaster").touch()

    @property
    def common(self):
        return self.folder / "sge/default/common"

    def start(self, command, **variables):
        return super().start(command, SGE_ROOT=str(self.folder / "sge"), **variables)

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


def request(**changes) -> Request:
    return slurm_request(**changes)


def batch(*requests: Request) -> dict[str, str]:
    return {one.tag: script(one) for one in requests}

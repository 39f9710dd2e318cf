"""PBS's commands as two small programs over a folder, so that the real guard can be run, killed and repeated against
every kind of answer. No PBS is in Debian, so what a real one does with it is not tested here."""

from tests.paracloud.dialects.slurm.stand_in import StandIn

_QSUB = """#!/bin/bash
echo "${!PBS_@}" >>"$STAND_IN/environment"
echo call >>"$STAND_IN/calls"
name=$(sed -n 's/^#PBS -N //p' "${@: -1}")
array=$(sed -n 's/^#PBS -[Jt] .*/[]/p' "${@: -1}")
mode=$(cat "$STAND_IN/mode" 2>/dev/null)
accept() {
  exec 8>>"$STAND_IN/lock"; flock 8
  id=$((41000 + $(wc -l <"$STAND_IN/jobs")))$array.east; echo "$id $name" >>"$STAND_IN/jobs"
}
case $mode in
  "") sleep "0.0$((RANDOM % 10))"; accept; sleep "0.0$((RANDOM % 10))"; echo "$id" ;;
  lost) sleep 0.3; accept; echo "qsub: cannot connect to server east (errno=15010)" >&2; exit 1 ;;
  late*) accept; printf '%s\\n' "${mode#late}" >&2; exit 1 ;;
  *) printf '%s\\n' "$mode" >&2; exit 1 ;;
esac
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


class PbsStandIn(StandIn):
    def programs(self) -> dict[str, str]:
        return {"qsub": _QSUB, "qselect": _QSELECT}

"""Lines of old accounting logs, and what a reader makes of one."""

from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.slurm import history as slurm

VALUES = dict(
    zip(
        slurm.COLUMNS,
        (
            "71", "71", "c", "cpu", "normal", "physics", "staff", "100", "lin", "1001", "2026-06-01T08:00:00",
            "2026-06-01T08:00:00", "2026-06-01T08:10:00", "2026-06-02T08:10:00", "1-00:00:00", "0:0", "COMPLETED", "2",
            "64", "64", "4Gc", "cpu=64", "billing=64,cpu=64,gres/gpu=8,mem=256G,node=2", "2-00:00:00", "n[1-2]", "melt",
        ),
        strict=True,
    )
)  # fmt: skip
GRID = {
    "qname": "all.q", "hostname": "node7", "group": "staff", "owner": "lin", "job_name": "melt", "job_number": "22",
    "account": "sge", "submission_time": "1780300000", "start_time": "1780300600", "end_time": "1780304200",
    "failed": "0", "exit_status": "0", "project": "physics", "granted_pe": "mpi", "slots": "16", "task_number": "3",
    "category": "-l gpu=1,h_rt=7200 -pe mpi 16", "pe_taskid": "NONE",
}  # fmt: skip
PBS = (
    "06/01/2026 09:00:00;E;88[4].head;user=lin group=staff account=physics jobname=my melt queue=workq "
    "ctime=1780300000 qtime=1780300000 etime=1780300000 start=1780300600 end=1780304200 exec_host=n1/0*4+n2/0*4 "
    "Resource_List.mem=16gb Resource_List.ncpus=8 Resource_List.nodect=2 Resource_List.ngpus=2 "
    "Resource_List.walltime=36:00:00 session=1 Exit_status=0 resources_used.walltime=01:00:00\n"
)


def sacct(**changes: str) -> str:
    return "|".join((VALUES | changes).values()) + "\n"


def grid(**changes: str) -> str:
    return ":".join((dict.fromkeys(gridengine.FIELDS, "0") | GRID | changes).values()) + "\n"


def one(reader, line: str):
    (found,) = reader.read([line])
    return found


def headed(*without: str) -> list[str]:
    """A log whose header lacks these columns."""
    left = {name: value for name, value in VALUES.items() if name not in without}
    return ["|".join(left) + "\n", "|".join(left.values()) + "\n"]

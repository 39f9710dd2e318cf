"""The schedulers whose guards the contract suite holds to one promise: their commands as small programs, and the words
of their clients."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.paracloud.dialects.gridengine.stand_in import GridStandIn
from tests.paracloud.dialects.pbs.stand_in import PbsStandIn
from tests.paracloud.dialects.slurm.stand_in import SlurmStandIn
from tests.paracloud.dialects.stand_in import StandIn

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.dialects.slurm.dialect import SlurmDialect


@dataclass(frozen=True, slots=True)
class Guarded:
    name: str
    dialect: Callable[..., Dialect]
    stand_in: Callable[[Path, Dialect], StandIn]
    refusals: tuple[str, ...]
    """Of the client, when the scheduler read the request and will never have it."""
    doubts: tuple[str, ...]
    """All else; with the first of them nobody answered."""
    silences: tuple[tuple[str, ...], ...]
    """What of the look-up gives no answer."""
    unwanted: str = ""
    """What a start-up file could set, and would win over the script's own."""
    remembers: bool = True
    """The marker of a job that started is looked at, because listing and accounting may know of it too late."""

    def open(self, folder: Path) -> StandIn:
        return self.stand_in(folder, self.dialect())


_RUN = "Unable to run job: "
SLURM = Guarded(
    name="slurm",
    dialect=SlurmDialect,
    stand_in=SlurmStandIn,
    refusals=(
        "sbatch: error: invalid partition specified: nope\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified",
        "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)",
        "sbatch: error: Batch job submission failed: More processors requested than permitted",
        "sbatch: error: Batch job submission failed: User's group not permitted to use this partition",
        "sbatch: error: AssocGrpCpuLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS "
        "policy (job submit limit, user's size and/or time limits)",
        "sbatch: error: Use --account\nsbatch: error: Batch job submission failed: Unspecified error",
        "sbatch: error: Invalid --mem specification",
        "sbatch: unrecognized option '--frobnicate'",
    ),
    doubts=(
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
        "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received",
        "sbatch: error: Batch job submission failed: Unexpected message received",
        "sbatch: error: Batch job submission failed: Unspecified error",
        "sbatch: error: Batch job submission failed: Invalid authentication credential",
        "sbatch: error: Munge encode failed: Invalid credential format",
        "sbatch: error: Batch job submission failed: Slurm internal error, contact system administrator",
        "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates "
        "accounting/QOS policy (job submit limit, user's size and/or time limits)",
        "sbatch: error: a sentence of next year's release",
        "Killed",
    ),
    silences=(("squeue.silent",), ("squeue.empty", "sacct.silent")),
    unwanted="SBATCH_PARTITION=other SBATCH_TEST_ONLY=1",
    remembers=False,
)
GRID_ENGINE = Guarded(
    name="gridengine",
    dialect=GridEngineDialect,
    stand_in=GridStandIn,
    refusals=(
        _RUN + 'Job was rejected because job requests unknown queue "nope"',
        _RUN + 'unknown resource "nope"',
        _RUN + 'job rejected: the requested parallel environment "nope" does not exist',
        _RUN + "error: no suitable queues",
        _RUN + "Colon (':') not allowed in objectname",
        'qsub: Unknown option "-frobnicate"',
    ),
    doubts=(
        "error: commlib error: got select error (Connection refused)",
        _RUN + "unable to contact qmaster using port 6444 on host vm",
        _RUN + "Error reading answer list from qmaster",
        _RUN + "job rejected: only 5 jobs are allowed per user (current job count: 5)",
        _RUN + "a sentence of next year's release",
        "Killed",
    ),
    silences=(("qstat.silent",),),
)
_PBS_REFUSALS = (
    "qsub: Unknown queue",
    "qsub: Job violates queue and/or server resource limits",
    "qsub: Illegal attribute or resource value Resource_List.walltime",
    "qsub: Unknown resource: Resource_List.ngpu",
    "qsub: Unauthorized Request ",
    "qsub: Access to queue is denied",
    "qsub: directive error: -l select=1:ncpus=a",
    "qsub: submit error (Unknown queue MSG=cannot locate queue)",
    "qsub: submit error (Job exceeds queue resource limits MSG=cannot satisfy queue max walltime requirement)",
    "qsub: submit error (Bad UID for job execution MSG=User alice does not exist in server password file)",
    "qsub: illegal -N value",
)
_PBS_DOUBTS = (
    "Connection refused\nqsub: cannot connect to server pbs1 (errno=15010)",
    "qsub: Maximum number of jobs already in queue workq",
    "qsub: would exceed queue workq's per-user limit",
    "qsub: Request not allowed: Server shutting down",
    "qsub: submit error (Time out)",
    "qsub: submit error (Server busy. Not available threads)",
    "pbs_iff: error returned: 15010\nqsub: Invalid credential",
    "Unable to communicate with pbs1(10.0.0.1)\nqsub: cannot connect to server pbs1 (errno=15137)",
    "qsub: Batch protocol error",
    "qsub: PBS server internal error",
    "qsub: a sentence of next year's release",
    "Killed",
)


def _pbs(name: str, dialect: Callable[..., Dialect]) -> Guarded:
    return Guarded(
        name=name,
        dialect=dialect,
        stand_in=PbsStandIn,
        refusals=_PBS_REFUSALS,
        doubts=_PBS_DOUBTS,
        silences=(("qselect.silent",),),
        unwanted="PBS_DPREFIX=#NO PBS_O_WORKDIR=/",
    )


GUARDED = (SLURM, GRID_ENGINE, _pbs("openpbs", openpbs), _pbs("torque", torque))

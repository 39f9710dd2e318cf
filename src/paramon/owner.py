"""Which processes are a job's, and which rank of MPI each is.

A process is the job's when it descends from one that is, or when its environment carries the job's mark: a launcher may
start it from somewhere else. One that changes its program may get another environment, so it is asked again then. Where
several nodes are one machine, what carries the mark may be another node's.
"""

from __future__ import annotations

import os

RANKS = (b"PMIX_RANK", b"OMPI_COMM_WORLD_RANK", b"PMI_RANK", b"MV2_COMM_WORLD_RANK")
"""Of Open MPI, MPICH and its kin, and MVAPICH; the surest first."""
DAEMONS = frozenset({"orted", "prted", "hydra_pmi_proxy", "hydra_bstrap_pr"})
"""Of launchers, one on each node, by the name that the kernel keeps: Slurm starts and numbers them, they the ranks."""
NO_RANK = -1
RANK_DIGITS = 9
ENVIRONMENT_MOST = 1 << 20


def environment(pid: int, root: str = "/proc") -> dict[bytes, bytes]:
    """As the process was started with it; empty where it may not be read, or is gone."""
    return dict(part.partition(b"=")[::2] for part in _raw(pid, root).split(b"\0") if b"=" in part)


def carries(pid: int, mark: tuple[bytes, bytes], root: str = "/proc", here: tuple[bytes, bytes] = (b"", b"")) -> bool:
    """Whether its environment says so, and not another value of the variable `here`. Most that are asked belong to
    others: it is not taken apart for that."""
    told = b"\0" + _raw(pid, root)
    return b"\0%b=%b\0" % mark in told and (
        not here[0] or b"\0%b=" % here[0] not in told or b"\0%b=%b\0" % here in told
    )


def has_our_host_name(pid: int, root: str = "/proc") -> bool:
    """uts_namespaces(7); so it is taken to be where that may not be asked."""
    try:
        return os.readlink(f"{root}/{pid}/ns/uts") == os.readlink("/proc/self/ns/uts")
    except OSError:
        return True


def _raw(pid: int, root: str) -> bytes:
    try:
        file = os.open(f"{root}/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    found = b""
    try:
        while len(found) < ENVIRONMENT_MOST:
            more = os.read(file, 1 << 16)
            if not more:
                break
            found += more
    except OSError:
        return b""
    finally:
        os.close(file)
    return found


def rank_in(known: dict[bytes, bytes], program: str = "") -> int:
    """Of a process with this environment, that runs a program of this name."""
    for name in RANKS:
        if (rank := _rank(known.get(name, b""))) != NO_RANK:
            return rank
    # Slurm numbers the batch script too, as if it were a task; only a step has both.
    is_task = b"SLURM_STEP_ID" in known and program not in DAEMONS
    return _rank(known.get(b"SLURM_PROCID", b"")) if is_task else NO_RANK


def _rank(text: bytes) -> int:
    """Anybody may write anything there, and of thousands of digits Python makes no number."""
    return int(text) if text.isdigit() and len(text) <= RANK_DIGITS else NO_RANK


def command_line(pid: int, most: int = 200, root: str = "/proc") -> str:
    """Its first arguments; empty for what has none."""
    try:
        file = os.open(f"{root}/{pid}/cmdline", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(file, most).replace(b"\0", b" ").strip().decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(file)


def began(pid: int, unless_asked: bytes | None = None) -> bytes:
    """When it began, in clock ticks since the machine did; empty for one that has ended, even where nobody has waited
    for it yet. One whose first thread has ended looks like that too, while its others run on. `unless_asked`: where it
    cannot be asked, such as where no file can be opened just now; None: OSError then."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            parts = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return b""
    except OSError:
        if unless_asked is None:
            raise
        return unless_asked
    return b"" if parts[0] in (b"Z", b"X") and int(parts[17]) <= 1 else parts[19]

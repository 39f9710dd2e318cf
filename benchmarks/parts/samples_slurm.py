"""Samples of squeue, scancel and of Slurm's small notations."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # it comes without types

from benchmarks.parts.samples import MEANS, Sample, judged, loaded, tried
from paracloud.dialects.records import NativePhase, Observation
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.dialects.slurm.states import accounted_phase, listed_phase
from paracloud.dialects.slurm.text import gpus_in_gres, size_bytes, wall
from paracloud.dialects.slurm.tres import allocated
from paracloud.jobs.quantities import hosts
from paracloud.kit.command import Completed
from paracloud.kit.errors import ParacloudError
from paracloud.kit.identifiers import NativeId, UnixAccount

_NONCE = "pc0000000000000000"
_MIB = 1 << 20


def samples(folder: Path) -> Iterator[Sample]:
    aiida = loaded(folder, "aiida_schedulers.json")
    yield from _of_aiida(aiida["slurm_squeue"])
    for text, seconds in aiida["slurm_time"]:
        unlimited = {"ERROR": None, 2147483647: None}.get(seconds, seconds)
        yield judged("aiida slurm time", text, tried(_seconds, text), unlimited)
    yield from _of_nextflow(loaded(folder, "nextflow_queue_status.json")["slurm"])
    pysqa = loaded(folder, "pysqa.json")["slurm"]
    rows = [line.split("|") for line in pysqa["stdout"].splitlines()]
    for row, status in zip(rows, pysqa["expect"]["status"], strict=True):
        yield judged("pysqa squeue", row[0], _means(accounted_phase(row[2]), status), status)
    yield from _of_qtoolkit(folder / "qtoolkit")
    yield from _notations(loaded(folder, "slurm_string_tables.json"))


def _of_aiida(sample: Mapping[str, Any]) -> Iterator[Sample]:
    place, asserted = "aiida squeue", sample["expect"]
    names = sample["fields"].split(",")
    rows = [dict(zip(names, line.split(sample["separator"]), strict=True)) for line in sample["stdout"].splitlines()]
    seen = _observed("".join(_row(row) for row in rows))
    running = [one for one in seen if one.phase is NativePhase.RUNNING]
    yield judged(place, "jobs", len(seen), asserted["jobs"])
    yield judged(place, "running", [one.native_id for one in running], asserted["running"])
    users = {one.account for one in running}
    yield judged(place, "running_users", sorted(users), asserted["running_users"])
    # There a job that waits for another counts as held; here it is queued, with that reason.
    held = [one for one in seen if one.phase is NativePhase.HELD or one.reason == "Dependency"]
    yield judged(place, "held", len(held), asserted["held"])
    queued = [one for one in seen if one.phase is NativePhase.QUEUED and one not in held]
    yield judged(place, "queued", len(queued), asserted["queued"])
    by_id = {str(one.native_id): one for one in seen}
    bash = asserted["863553"]
    yield judged(place, "dispatch", by_id["863553"].started_at, _time(bash["dispatch"]))
    yield judged(place, "submission", by_id["863553"].submitted_at, _time(bash["submission"]))
    yield judged(place, "annotation", by_id["863100"].reason, asserted["863100"]["annotation"])
    limit = next(row["time_limit"] for row in rows if row["job_id"] == "863554")
    yield judged(place, "no time limit", wall(limit), asserted["863554"]["requested_wallclock_s"])
    silent = SlurmDialect(lambda: _NONCE).observe([UnixAccount("x")])
    yield judged(place, "nonzero exit", tried(silent.parse, Completed(1, b"", b"")), None)


def _row(row: Mapping[str, str]) -> str:
    """In the columns that we ask for."""
    times = (_epoch(row["submission_time"]), _epoch(row["dispatch_time"]))
    columns = (row["job_id"], "N/A", row["username"], row["state_raw"], *times, row["allocated_machines"])
    return "|".join((*columns, row["annotation"])) + f"{_NONCE}{row['job_name']:>40.40}\n"


def _observed(text: str) -> Sequence[Observation]:
    return SlurmDialect(lambda: _NONCE).observe([UnixAccount("anybody")]).parse(Completed(0, text.encode(), b""))


def _of_nextflow(sample: Mapping[str, Any]) -> Iterator[Sample]:
    for status in sample["queue_status"]:
        words = dict(line.split() for line in status["stdout"].splitlines())
        for job, asserted in status["expect"].items():
            found = _means(listed_phase(words[job], ""), asserted)
            yield judged("nextflow squeue", f"{job} {words[job]}", found, asserted.lower())
    for printed, _ in sample["submit_parse"]:
        yield Sample("nextflow sbatch without --parsable", printed, has_reader=False)


def _of_qtoolkit(folder: Path) -> Iterator[Sample]:
    for one in yaml.safe_load((folder / "parse_cancel_output_inout.yaml").read_text()):
        said, asserted = yaml.safe_load(one["parse_cancel_kwargs"]), yaml.safe_load(one["cancel_result_ref"])
        status = asserted["status"]["value"]
        yield judged("qtoolkit scancel", said["stderr"].strip(), tried(_cancelled, said), status)
    for name in ("submit", "job"):
        for _ in yaml.safe_load((folder / f"parse_{name}_output_inout.yaml").read_text()):
            yield Sample(f"qtoolkit {name}", "", has_reader=False)


def _cancelled(said: Mapping[str, Any]) -> str:
    completed = Completed(said["exit_code"], said["stdout"].encode(), said["stderr"].encode())
    try:
        SlurmDialect().cancel([NativeId("7")]).parse(completed)
    except ParacloudError:
        return "FAILED"
    return "SUCCESSFUL"


def _notations(tables: Mapping[str, Any]) -> Iterator[Sample]:
    place = "slurm-scripts"
    for text, nodes in tables["hostlist"].items():
        yield judged(f"{place} hostlist", text, tried(_hosts, text), len(nodes) or None)
    for text, seconds in tables["time2sec"].items():
        yield judged(f"{place} time", text, tried(_seconds, text), seconds)
    for text, mib in tables["string2mb"]:
        yield judged(f"{place} size", text, tried(_mebibytes, text), None if mib is None else int(mib))
    for text, found in tables["gres"].items():
        yield judged(f"{place} gres", text, sum(gpus_in_gres(text).values()), found["gpu"])
    for text, found in tables["tres"].items():
        had = allocated(text)
        licences = {name: many for name, many in found.items() if name.startswith("license/")}
        asserted = (found.get("gres/gpu", 0), found["mem_M"], sum(licences.values()))
        yield judged(
            f"{place} tres",
            text,
            (had.gpus, had.memory_bytes // _MIB, sum(had.resources.values())),
            asserted,
        )


def _seconds(text: str) -> int | None:
    found = wall(text)
    return None if found is None else found // timedelta(seconds=1)


def _mebibytes(text: str) -> int:
    return size_bytes(text) // _MIB


def _hosts(text: str) -> int:
    return hosts("nodelist", text)


def _means(phase: NativePhase, word: str) -> str:
    """The project's word where our phase says the same, else our own."""
    return word.lower() if phase in MEANS.get(word.lower(), ()) else phase.value


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _epoch(text: str) -> str:
    return text if text == "N/A" else str(int(_time(text).timestamp()))

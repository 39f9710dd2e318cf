"""Samples of accounting logs of Slurm and Grid Engine; and what we have no reader for."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.parts.samples import Sample, judged, loaded, tried
from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.history import HistoryRecord, LeftOut
from paracloud.dialects.slurm import history as slurm

_COLUMNS = (
    "JobID|JobName|User|Group|Start|End|Elapsed|CPUTimeRaw|Partition|NCPUS|NNodes|NodeList|MaxRSS|MaxVMSize|State"
    "|Submit|AllocTRES"
)
"""APEL's own, and two that it does not ask for."""


def samples(folder: Path) -> Iterator[Sample]:
    apel = loaded(folder, "apel_slurm_sge_accounting.json")
    for one in apel["test_slurm.py"]:
        if one.get("expect"):
            yield from _of_slurm(one["line"], one["expect"])
    for one in apel["test_sge.py"]:
        # One test multiplies the times by a factor of APEL's own settings.
        if one.get("expect") and "multiplier" not in one["test"]:
            yield from _of_gridengine(one["line"], one["expect"])
    for project in ("aiida_schedulers", "nextflow_queue_status", "pysqa"):
        for name in loaded(folder, f"{project}.json"):
            if name.startswith("lsf"):
                yield Sample(f"{project.partition('_')[0]} {name}", "", has_reader=False)


def _of_slurm(line: str, asserted: Mapping[str, Any]) -> Iterator[Sample]:
    values = line.split("|")
    more = f"|{values[4]}|cpu={values[9]},node={values[10]}"
    (found,) = slurm.read((_COLUMNS + "\n", line + more + "\n"))
    if isinstance(found, LeftOut) and found.why == "step":
        yield Sample("apel sacct steps", values[0], has_reader=False)
        return
    yield judged("apel sacct", values[0], tried(_told, found), _asserted(asserted) | {"nodes": asserted["NodeCount"]})


def _of_gridengine(line: str, asserted: Mapping[str, Any]) -> Iterator[Sample]:
    (found,) = gridengine.read((line + "\n",))
    more = {"queue": line.partition(":")[0]}
    yield judged("apel sge accounting", asserted["JobName"], tried(_told, found), _asserted(asserted) | more)


def _told(record: object) -> dict[str, object]:
    if not isinstance(record, HistoryRecord):
        raise ValueError(str(record))
    return {
        "job": record.native_id,
        "user": record.user,
        "group": record.group,
        "seconds": record.elapsed_seconds,
        "start": record.started_at,
        "end": record.ended_at,
        "cores": record.cores,
        "queue": record.queue,
    } | ({"nodes": record.nodes} if "nodes" not in record.unsaid else {})


def _asserted(expect: Mapping[str, Any]) -> dict[str, object]:
    return {
        "job": expect["JobName"],
        "user": expect["LocalUserID"],
        "group": expect["LocalUserGroup"],
        "seconds": expect["WallDuration"],
        "start": datetime.fromisoformat(expect["StartTime"]),
        "end": datetime.fromisoformat(expect["StopTime"]),
        "cores": expect["Processors"],
        "queue": expect.get("Queue"),
    }

"""Samples of Grid Engine's qstat -xml, and of its letters for states."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.parts.samples import MEANS, Sample, judged, loaded, tried
from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.gridengine.states import ERROR, phase, reason
from paracloud.dialects.records import NativePhase, Observation
from paracloud.kit.command import Completed
from paracloud.kit.identifiers import UnixAccount

_NONCE = "pc0000000000000000"


def samples(folder: Path) -> Iterator[Sample]:
    yield from _of_aiida(loaded(folder, "aiida_schedulers.json")["sge_qstat_xml"])
    pysqa = loaded(folder, "pysqa.json")["sge"]
    for one, (id_, user, _, status) in zip(_observed(pysqa["stdout"]), pysqa["expect"], strict=True):
        found = (one.native_id, one.account, _word(one.phase, one.reason, status))
        yield judged("pysqa sge qstat", id_, found, (id_, user, status))
    nextflow = loaded(folder, "nextflow_queue_status.json")["sge"]
    for table in nextflow["queue_status"]:
        rows = [line.split() for line in table["stdout"].splitlines() if line.strip()[:1].isdigit()]
        for id_, _, _, _, letters, *_ in rows:
            status = table["expect"][id_].lower()
            yield judged(
                "nextflow sge qstat", f"{id_} {letters}", _word(phase(letters), reason(letters), status), status
            )
    for printed, _ in nextflow["submit_parse"]:
        yield Sample("nextflow qsub without -terse", printed, has_reader=False)


def _of_aiida(sample: Mapping[str, Any]) -> Iterator[Sample]:
    place, asserted = "aiida sge qstat", sample["expect"]
    seen = _observed(sample["stdout"])
    running = [one for one in seen if one.phase is NativePhase.RUNNING]
    waiting = [one for one in seen if one.submitted_at is not None]
    yield judged(place, "jobs", len(seen), asserted["jobs"])
    yield judged(place, "running", [one.native_id for one in running], asserted["running"])
    for word, meant in (("held", NativePhase.HELD), ("queued", NativePhase.QUEUED)):
        yield judged(place, word, sum(one.phase is meant for one in seen), asserted[word])
    yield judged(place, "dispatch", [one.started_at for one in running], _times(asserted["dispatch"]))
    yield judged(place, "submission", [one.submitted_at for one in waiting], _times(asserted["submission"]))
    for bad in sample["bad"]:
        yield judged(place, bad["expect"], tried(_observed, bad["stdout"]), None)


def _observed(text: str) -> Sequence[Observation]:
    completed = Completed(0, f"\n{_NONCE}\n{text.strip()}\n".encode(), b"")
    return GridEngineDialect(lambda: _NONCE).observe([UnixAccount("anybody")]).parse(completed)


def _word(found: NativePhase, why: str, status: str) -> str:
    """The project's word where we say the same; a job in error is held here, with that reason."""
    is_error = status == "error" and why == ERROR
    return status if is_error or found in MEANS[status] else found.value


def _times(texts: Sequence[str]) -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]

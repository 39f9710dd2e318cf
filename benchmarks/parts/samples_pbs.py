"""Samples of PBS's qstat -f and qsub, in the lines that both flavours print without -F json or -x."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.parts.samples import MEANS, Sample, judged, loaded, tried
from paracloud.dialects.pbs.attributes import from_lines
from paracloud.dialects.pbs.ids import native_id, pbs_id
from paracloud.dialects.pbs.listing import nodes_in, observations
from paracloud.dialects.pbs.states import ENDED, listed_phase
from paracloud.dialects.records import NativePhase


def samples(folder: Path) -> Iterator[Sample]:
    aiida = loaded(folder, "aiida_schedulers.json")
    for flavour in ("pbspro", "torque"):
        for sample in aiida[f"{flavour}_qstat_f"]:
            place = f"aiida {flavour} qstat"
            yield from (_attributes if "jobs" not in sample["expect"] else _listing)(place, sample)
    nextflow = loaded(folder, "nextflow_queue_status.json")
    for flavour in ("pbs", "pbspro"):
        yield from _states(f"nextflow {flavour} qstat", nextflow[flavour])
        for printed, id_ in nextflow[flavour]["submit_parse"]:
            text = printed.encode().decode("unicode_escape").strip()
            yield judged("nextflow qsub", printed, tried(native_id, text), id_.partition(".")[0])
    yield from _of_pysqa(loaded(folder, "pysqa.json")["torque"])


def _listing(place: str, sample: Mapping[str, Any]) -> Iterator[Sample]:
    seen, asserted = list(observations(from_lines(sample["stdout"]))), sample["expect"]
    running = [one for one in seen if one.phase is NativePhase.RUNNING]
    yield judged(place, "jobs", len(seen), asserted["jobs"])
    yield judged(place, "running", [one.native_id for one in running], [pbs_id(id_).job for id_ in asserted["running"]])
    yield judged(place, "running_users", [one.account for one in running], asserted["running_users"])
    # There a job that waits for another counts as held; here it is queued, with that reason.
    held = [one for one in seen if one.phase is NativePhase.HELD or one.reason == "Dependency"]
    yield judged(place, "held", len(held), asserted["held"])
    queued = [one for one in seen if one.phase is NativePhase.QUEUED and one not in held]
    yield judged(place, "queued", len(queued), asserted["queued"])


def _attributes(place: str, sample: Mapping[str, Any]) -> Iterator[Sample]:
    ((_, found),) = from_lines(sample["stdout"]).items()
    for name, value in sample["expect"].get("raw", {}).items():
        lower = {key.lower(): text for key, text in found.items()}
        yield judged(place, name, lower.get(name), value)
    for machine, _ in sample["expect"].get("machines", []):
        yield judged(place, "machines", nodes_in(found["exec_host"]), machine)


def _states(place: str, sample: Mapping[str, Any]) -> Iterator[Sample]:
    for status in sample["queue_status"]:
        for id_, said in from_lines(status["stdout"]).items():
            asserted, state = status["expect"][id_].lower(), said["job_state"]
            phase = listed_phase(state, "0" if state in ENDED else "")
            found = asserted if phase in MEANS.get(asserted, ()) else phase.value
            yield judged(place, f"{id_} {state}", found, asserted)


def _of_pysqa(sample: Mapping[str, Any]) -> Iterator[Sample]:
    place, asserted = "pysqa qstat", sample["expect"]
    jobs = from_lines(sample["stdout"])
    seen = list(observations(jobs))
    yield judged(place, "jobid", [int(one.native_id) for one in seen], asserted["jobid"])
    yield judged(place, "user", [one.account for one in seen], asserted["user"])
    yield judged(place, "jobname", [said["Job_Name"] for said in jobs.values()], asserted["jobname"])
    words = [next(word for word, phases in MEANS.items() if one.phase in phases) for one in seen]
    yield judged(place, "status", words, asserted["status"])
    yield judged("pysqa qsub", "id", int(native_id(sample["qsub"][0].strip())), sample["qsub"][1])

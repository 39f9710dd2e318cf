"""What the agent costs and misses, and what cannot be had on this node, as metrics."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from paramon import VERSION
from paramon.agent.openmetrics import COUNTER, GAUGE, INFO, Family, Number, family, labels
from paramon.sensors.file import content

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Own(NamedTuple):
    """`serving_seconds`: CPU time of answers, in `cpu_seconds`, too. `answers`: how many, by status. `looked_at`:
    seconds since 1970. `given_up`: frames of the profile that were lost."""

    cpu_seconds: float
    serving_seconds: float
    looked_at: float
    ticks: int
    missed: int
    slowed: int
    denied: int
    processes: int
    answers: Mapping[int, int]
    failed: Mapping[str, int]
    unavailable: Mapping[str, tuple[str, str]]
    given_up: int = 0


def own_families(own: Own) -> list[Family]:
    start = "paramon_agent_"
    version = family(start + "build", INFO, "Which agent this is.")
    version.add(1, labels({"version": VERSION}))
    answers = family(start + "answers", COUNTER, "Answers to requests, by status of HTTP.")
    for status, count in own.answers.items():
        answers.add(count, labels({"status": str(status)}))
    failed = family(start + "failed_reads", COUNTER, "Reads of a sensor that failed.")
    for sensor, count in own.failed.items():
        failed.add(count, labels({"sensor": sensor}))
    missing = family("paramon_unavailable", INFO, "What cannot be had on this node, and why.")
    for what, (why, _) in own.unavailable.items():
        missing.add(1, labels({"what": what, "reason": why}))
    return [
        version,
        _one(COUNTER, "cpu", "seconds", round(own.cpu_seconds, 6), "CPU time of the agent, answers included."),
        _one(COUNTER, "serving_cpu", "seconds", round(own.serving_seconds, 6), "CPU time of answers to requests."),
        _one(GAUGE, "resident_memory", "bytes", _resident_bytes(), "Resident memory of the agent."),
        _one(COUNTER, "looks", "", own.ticks, "Looks at the processes and the node."),
        _one(COUNTER, "missed_looks", "", own.missed, "Looks that came too late: the machine stood still."),
        _one(COUNTER, "slowed_looks", "", own.slowed, "Looks that were left out to stay within the budget."),
        _one(GAUGE, "last_look_timestamp", "seconds", round(own.looked_at, 3), "When it looked last."),
        _one(GAUGE, "processes", "", own.processes, "Processes that are looked at."),
        _one(COUNTER, "denied_processes", "", own.denied, "Processes that must not be looked at, each time one came."),
        _one(COUNTER, "given_up_frames", "", own.given_up, "Parts of the profile that could not be written."),
        answers,
        failed,
        missing,
    ]


def _one(kind: str, name: str, unit: str, value: Number, help_text: str) -> Family:
    found = family("paramon_agent_" + name, kind, help_text, unit)
    found.add(value)
    return found


def _resident_bytes() -> int:
    return int(content("/proc/self/statm", 256).split()[1]) * PAGE_BYTES

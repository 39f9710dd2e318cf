"""A profile as it was written: one file a node and start, read minute by minute. Nothing that is damaged stops it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple

from paramon.sample.chunk import Chunk, read_chunk
from paramon.sample.errors import Damaged
from paramon.sample.file import frames_in
from paramon.sample.frames import CHUNK, END, HEADER, PROCESSES, TICK, Frame
from paramon.sample.ticks import TickReader

SUFFIX, LIVE = ".paramon", ".live"
VERSION = 1
NUMBER_MOST, STARTED_MOST_MS = 1 << 63, 1 << 43
NESTED_MOST = 32
KINDS: Mapping[str, tuple[type, ...]] = {
    "node": (str,), "command": (list,), "started_at_ms": (int,), "ticks_a_second": (int,), "cores": (int, type(None)),
    "usable_cores": (int, type(None)), "period": (int, float), "wall_ms": (int,), "cpu_ticks": (int,),
    "cpu_ticks_total": (int,), "completeness": (int, float, type(None)), "cpu_us": (int,), "missed_ticks": (int,),
    "slowed_ticks": (int,), "failed_reads": (dict,), "exit_code": (int,), "signal": (int,), "denied_processes": (int,),
    "given_up_frames": (int,), "largest_rss_kib": (int,),
}  # fmt: skip
"""Of what is reckoned with or shown of a header or an end: a job's user may have written anything there."""


class Process(NamedTuple):
    """`number`: as in the chunks. `start_ticks`: clock ticks from the start of the machine; with the pid it names a
    process of that machine for good. `rank`: of MPI, -1 where it has none."""

    number: int
    pid: int
    start_ticks: int
    parent: int
    name: str
    command: str
    rank: int


class Told:
    """What a profile says besides its samples."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.header: dict[str, Any] = {}
        self.processes: dict[int, Process] = {}
        self.end: dict[str, Any] | None = None


def note(told: Told, one: Frame) -> None:
    """ValueError, TypeError for what is no such thing."""
    if one.kind == HEADER:
        told.header = _object(one.payload)
    elif one.kind == END:
        told.end = _object(one.payload)
    elif one.kind == PROCESSES:
        told.processes.update((process.number, process) for process in processes_in(one.payload))


def processes_in(payload: bytes) -> list[Process]:
    """ValueError, TypeError for what is no such thing."""
    return [_process(row) for row in _json(payload)]


def _process(row: Any) -> Process:  # noqa: ANN401  # whatever it is
    if tuple(map(type, row)) != (int, int, int, int, str, str, int) or not _is_bounded(row, 1):
        raise TypeError(row)
    return Process(*row)


def _object(payload: bytes) -> dict[str, Any]:
    found = _json(payload)
    if not isinstance(found, dict) or not _is_bounded(found, NESTED_MOST):
        raise TypeError("no object of ours")
    for name, kinds in KINDS.items():
        if name in found and type(found[name]) not in kinds:
            raise TypeError(name)
    if any(type(times) is not int for times in found.get("failed_reads", {}).values()):
        raise TypeError("failed_reads")
    if found.get("ticks_a_second", 1) < 1 or not 0 <= found.get("started_at_ms", 0) < STARTED_MOST_MS:
        raise ValueError("no time of ours")
    return found


def _is_bounded(told: Any, nested: int) -> bool:  # noqa: ANN401  # whatever it is
    if isinstance(told, (int, float)):
        return -NUMBER_MOST <= told < NUMBER_MOST
    if isinstance(told, dict):
        told = list(told.values())
    return not isinstance(told, list) or (nested > 0 and all(_is_bounded(one, nested - 1) for one in told))


def _json(payload: bytes) -> Any:  # noqa: ANN401  # whatever it is
    """Names of files may be anything; half a surrogate pair, which only an escape can say, is no text."""
    text = payload.decode("utf-8", "replace")
    try:
        found = json.loads(text)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested without end") from None
    return found


class NodeProfile(Told):
    """What one collector wrote at one node. `chunks` may be asked for as often as wanted; each time the file is read
    anew, the open minute included, and `processes` has those that came until then. There may be millions: whoever has
    done with some of them takes them out."""

    def __init__(self, path: str) -> None:
        """Damaged where it has no header, OSError where it cannot be read."""
        super().__init__(path)
        self.lost_bytes = 0
        self.damaged_chunks = 0
        for one in self._frames():
            if one.kind in (HEADER, END):
                self._note(one)
        if not self.header:
            raise Damaged(f"{path}: this is no profile of paramon", f"{path}：不是 paramon 采集文件")

    def chunks(self) -> Iterator[Chunk]:
        self.lost_bytes = self.damaged_chunks = 0
        last = -1
        for one in self._frames():
            if one.kind != CHUNK:
                self._note(one)
                continue
            try:
                chunk = read_chunk(one.payload)
            except Damaged:
                self.damaged_chunks += 1
                continue
            last = chunk.ticks[-1] if chunk.ticks else last
            yield chunk
        opened = self._open_minute(last)
        if opened.ticks:
            yield opened

    def _open_minute(self, last: int) -> Chunk:
        reader = TickReader()
        try:
            for one in frames_in(self.path + LIVE):
                if isinstance(one, int) or one.kind != TICK:
                    break  # what follows is the difference to what is missing
                reader.read(one.payload)
        except (Damaged, OSError):
            pass  # it is as long as it is
        found = reader.chunk
        return found if found.ticks and found.ticks[0] > last else Chunk([], {}, {})

    def _frames(self) -> Iterator[Frame]:
        for one in frames_in(self.path):
            if isinstance(one, int):
                self.lost_bytes += one
            else:
                yield one

    def _note(self, one: Frame) -> None:
        try:
            note(self, one)
        except (ValueError, TypeError):
            self.damaged_chunks += 1


def open_profile(path: str, left_out: Callable[[str], None] = lambda name: None) -> list[NodeProfile]:
    """Of a file, or of all in a folder, the earliest first. `left_out`: is told the names of those that are none.
    Damaged where there is none; OSError where the path is none."""
    names = [path]
    if os.path.isdir(path):
        names = sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(SUFFIX))
    if not names:
        raise Damaged(f"{path}: there is no profile of paramon here", f"{path}：没有 paramon 采集文件")
    found: list[NodeProfile] = []
    wrong: list[Damaged | OSError] = []
    for name in names:
        try:
            found.append(NodeProfile(name))
        except (Damaged, OSError) as why:
            left_out(name)
            wrong.append(why)
    if not found:
        raise wrong[0]
    found.sort(key=lambda one: (one.header.get("started_at_ms", 0), one.path))
    return found

"""One process, from /proc (proc(5)): kept open files are read again and again, which costs a third of opening them.

What never changes since the last look is not read: a process whose `stat` is the same to the byte has used no CPU, had
no fault and woke no thread. Context switches and run-queue waits are kept by thread, and a file of the process tells
the first thread's alone: they are summed over its threads, now and then. `smaps_rollup` and `numa_maps` are never read:
they hold the lock of the process's memory for milliseconds a gigabyte.
"""

from __future__ import annotations

import os

from paramon.sample.fields import AT, COUNT

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
SIZE = 4096
STATUS = {
    b"VmHWM": AT["peak_rss_kib"],
    b"RssShmem": AT["shared_kib"],
    b"RssFile": AT["file_kib"],
    b"VmSwap": AT["swap_kib"],
}
SWITCHES = {b"voluntary_ctxt_switches": 0, b"nonvoluntary_ctxt_switches": 1}
GONE = ord("X")
"""The state of one that is not there any more."""
THREADS_MOST = 256
"""More threads than that are not looked at one by one."""

USER, SYSTEM = AT["user_ticks"], AT["system_ticks"]
CHILD_USER, CHILD_SYSTEM = AT["child_user_ticks"], AT["child_system_ticks"]
MINOR, MAJOR, RSS = AT["minor_faults"], AT["major_faults"], AT["rss_kib"]
THREADS, STATE, BLOCKED = AT["threads"], AT["state"], AT["block_wait_ticks"]
RUN_WAIT, VOLUNTARY, FORCED = AT["run_wait_us"], AT["voluntary_switches"], AT["forced_switches"]
PEAK = AT["peak_rss_kib"]
READ_CHARS, WRITE_CHARS = AT["read_chars"], AT["write_chars"]
READ_CALLS, WRITE_CALLS = AT["read_calls"], AT["write_calls"]
READ_BYTES, WRITE_BYTES = AT["read_bytes"], AT["write_bytes"]


class Watched:
    """A process that is looked at. `values` are those of the last look."""

    __slots__ = (
        "_base", "_io", "_seen", "_stat", "_status", "_threads", "name", "parent", "pid", "start_ticks", "values",
    )  # fmt: skip

    def __init__(self, pid: int, root: str = "/proc") -> None:
        """ProcessLookupError where it is gone; PermissionError where it must not be looked at."""
        self.pid, self._base = pid, f"{root}/{pid}/"
        self.values = [0] * COUNT
        self._seen = b""
        self._io = self._status = -1
        self._threads: dict[int, tuple[int, int, int]] = {}
        try:
            self._stat = os.open(self._base + "stat", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ProcessLookupError(pid) from None
        try:
            parts = self._read_stat(os.pread(self._stat, SIZE, 0))
        except OSError:
            self.close()
            raise ProcessLookupError(pid) from None
        self.parent, self.start_ticks = int(parts[1]), int(parts[19])
        self._seen = b""  # the first look finds all of it new
        self._io, self._status = self._opened("io"), self._opened("status")

    def look(self, *, is_whole: bool = False) -> bool:
        """Whether anything is new. `is_whole`: what is dear, too. ProcessLookupError where it is gone."""
        data = os.pread(self._stat, SIZE, 0)
        is_new = data != self._seen
        if is_new:
            self._read_stat(data)
        if is_new or is_whole:
            self._read_io()
        if is_whole or self.values[RSS] > self.values[PEAK]:
            self._read_status()
        if is_whole:
            self._read_threads()
        return is_new or is_whole

    def ended(self) -> None:
        """Its last row says so."""
        self.values[STATE], self.values[THREADS], self.values[RSS] = GONE, 0, 0

    def close(self) -> None:
        for file in (self._stat, self._io, self._status):
            if file >= 0:
                os.close(file)
        self._stat = self._io = self._status = -1

    def _opened(self, name: str) -> int:
        """-1 for what is another user's, or gone."""
        try:
            return os.open(self._base + name, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1

    def _read_stat(self, data: bytes) -> list[bytes]:
        """Back come its fields from the third on: the state."""
        end = data.rindex(b")")
        self._seen = data
        self.name = data[data.index(b"(") + 1 : end].decode("utf-8", "replace")
        parts, values = data[end + 2 :].split(), self.values
        values[STATE] = parts[0][0]
        values[MINOR], values[MAJOR] = int(parts[7]), int(parts[9])
        values[USER], values[SYSTEM] = int(parts[11]), int(parts[12])
        values[CHILD_USER], values[CHILD_SYSTEM] = int(parts[13]), int(parts[14])
        values[THREADS], values[RSS] = int(parts[17]), int(parts[21]) * PAGE_KIB
        values[BLOCKED] = int(parts[39])
        return parts

    def _read_io(self) -> None:
        if self._io < 0:
            return
        try:
            parts = os.pread(self._io, SIZE, 0).split()
        except OSError:
            return  # one that changed its user may not be read any more
        values = self.values
        values[READ_CHARS], values[WRITE_CHARS] = int(parts[1]), int(parts[3])
        values[READ_CALLS], values[WRITE_CALLS] = int(parts[5]), int(parts[7])
        values[READ_BYTES], values[WRITE_BYTES] = int(parts[9]), int(parts[11])

    def _read_status(self) -> None:
        if self._status < 0:
            return
        for line in os.pread(self._status, SIZE, 0).split(b"\n"):
            name, _, text = line.partition(b":")
            at = STATUS.get(name)
            if at is not None:
                self.values[at] = int(text.split()[0])

    def _read_threads(self) -> None:
        """Those that ended between two looks have told what they did until the last one."""
        if self.values[THREADS] > THREADS_MOST:
            return
        try:
            threads = os.listdir(self._base + "task")
        except OSError:
            return
        for thread in threads:
            try:
                self._threads[int(thread)] = self._of_thread(self._base + "task/" + thread)
            except OSError:
                continue
        sums = [sum(column) for column in zip(*self._threads.values())]
        if sums:
            self.values[RUN_WAIT], self.values[VOLUNTARY], self.values[FORCED] = sums

    def _of_thread(self, base: str) -> tuple[int, int, int]:
        waited = int(_content(base + "/schedstat").split()[1]) // 1000
        switches = [0, 0]
        for line in _content(base + "/status")[-120:].split(b"\n"):
            name, _, text = line.partition(b":")
            at = SWITCHES.get(name)
            if at is not None:
                switches[at] = int(text)
        return waited, switches[0], switches[1]


def _content(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, SIZE)
    finally:
        os.close(file)

"""One process, from /proc (proc(5)): kept open files are read again and again, which costs a third of opening them.

What did not change since the last look is not read. A process of one thread whose `schedstat` is the same to the byte
has not run: to know that costs a third of asking its `stat`. Context switches and run-queue waits are kept by thread,
and a file of the process tells the first thread's alone: they are summed over its threads, often at first and then more
and more seldom, as it may end at any time. `smaps_rollup` and `numa_maps` are never read: they hold the lock of the
process's memory for milliseconds a gigabyte.
"""

from __future__ import annotations

import os

from paramon.sample.fields import AT, COUNT
from paramon.sensors.file import DENIED, NOT_KEPT, content, kept
from paramon.sensors.reaped import Reaped
from paramon.sensors.status import fields_in, is_copy, number, of_another, program_in, stat_of, status_of_process
from paramon.sensors.waits import RUN_SIZE, Waits

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
SIZE = 960
"""Of what is read at once. What fits a kibibyte gets its memory for half the price (malloc's per-thread cache)."""
STATUS = (
    (b"\nVmHWM:", AT["peak_rss_kib"]),
    (b"\nRssFile:", AT["file_kib"]),
    (b"\nRssShmem:", AT["shared_kib"]),
    (b"\nVmSwap:", AT["swap_kib"]),
)
GONE, ZOMBIE = ord("X"), ord("Z")
"""The states of one that is not there any more, and of one that has ended and is not waited for yet."""
OFTEN, SELDOM = 10, 60
"""Looks from one at what is dear to the next: of one that ran meanwhile, and of any. From its first, and when it has
more threads, of one that ran it is 1 look, then 2, 4, 8 and so on until then."""
TOLD_KIB = 4096
"""So much may its memory change until its `status` is asked what of it is shared."""
FAULTS = 256
"""So many more page faults, and it may have had memory for a moment between two looks: `status` knows of the most. Each
time that it did not, twice as many are needed: many a program takes and gives back the same memory all the time."""
NO_THREADS = b"0"
"""Of one that is just being taken away: then all else that `stat` counts is 0, too."""
NOT_COUNTED = b"0 0 0"
"""A `schedstat` of a kernel that does not count."""

USER, SYSTEM = AT["user_ticks"], AT["system_ticks"]
CHILD_USER, CHILD_SYSTEM = AT["child_user_ticks"], AT["child_system_ticks"]
MINOR, MAJOR, RSS = AT["minor_faults"], AT["major_faults"], AT["rss_kib"]
THREADS, STATE, BLOCKED = AT["threads"], AT["state"], AT["block_wait_ticks"]
RUN_WAIT, VOLUNTARY, FORCED = AT["run_wait_us"], AT["voluntary_switches"], AT["forced_switches"]
PEAK, WAITS_KNOWN = AT["peak_rss_kib"], AT["waits_known_us"]
IO = tuple(AT[name] for name in ("read_chars", "write_chars", "read_calls", "write_calls", "read_bytes", "write_bytes"))
"""In the order of /proc/PID/io."""
READ_BYTES, WRITE_BYTES = IO[4:]


class Watched:
    """A process that is looked at. `values` are those of the last look; `is_another` is set when it executed another
    program or became another's child, and taken back by whoever told of it. `is_copy`: at first, as of `is_copy`.
    `is_closed`: what it reads and writes must not be looked at."""

    __slots__ = (
        "_age", "_base", "_io", "_is_quiet", "_is_stale", "_pace", "_paced", "_program", "_ran", "_reaped", "_run",
        "_seen", "_seen_io", "_seldom", "_start", "_stat", "_told_faults", "_told_rss", "_unasked_faults", "_waits",
        "is_another", "is_closed", "is_copy", "parent", "pid", "start_ticks", "values",
    )  # fmt: skip

    def __init__(self, pid: int, root: str = "/proc") -> None:
        """PermissionError where it must not be looked at, another OSError where it is gone."""
        self.pid, self._base = pid, f"{root}/{pid}/"
        self.values = [0] * COUNT
        self._stat = self._io = self._run = NOT_KEPT
        self._seen = self._seen_io = self._ran = self._start = b""
        # The first look finds all of it new; after it, those that came together take turns with what is dear.
        self._seldom = self._age = SELDOM + pid % OFTEN
        self._is_quiet, self._is_stale, self._pace, self._paced = False, True, 0, 1
        self.is_closed = False
        self._told_rss, self._told_faults, self._unasked_faults = 0, 0, FAULTS
        self._waits = Waits()
        self._reaped: Reaped | None = None
        data = content(self._base + "stat", SIZE)
        parts = fields_in(data)
        self._program, self.is_another, self.is_copy = program_in(data, parts), False, is_copy(parts)
        self.parent, self._start = int(parts[1]), parts[19]
        self.start_ticks = int(self._start)
        self._read_stat(data)
        self._seen = b""

    @property
    def name(self) -> str:
        return self._program[0].partition(b"(")[2].decode("utf-8", "replace")

    def keep(self, files_most: int) -> None:
        """It will be looked at again and again: its files stay open, as long as their numbers are below that."""
        self._stat = kept(self._base + "stat", files_most)
        self._io = kept(self._base + "io", files_most)
        self.is_closed = self._io == DENIED
        self._run = kept(self._base + "schedstat", files_most)

    def look(self) -> bool:
        """Whether anything is new. OSError where it is gone."""
        self._age += 1
        if self._is_quiet and self._age < self._seldom:
            # Asked before `stat`, so that nothing falls in between.
            ran = os.pread(self._run, RUN_SIZE, 0) if self._run >= 0 else content(self._base + "schedstat", RUN_SIZE)
            if ran == self._ran:
                return False
            self._ran = b"" if ran.startswith(NOT_COUNTED) else ran
        data = self._now(self._stat, "stat")
        if is_new := data != self._seen:
            self._read_stat(data)
        self._is_quiet = not is_new and self.values[THREADS] == 1 and self._run >= NOT_KEPT
        # A process may do so little that its `stat` stays the same while it reads and writes.
        if self._read_io() or is_new:
            self._is_stale = is_new = True
        if self._reaped is not None:
            self._reaped.looked()
        if self._age >= (self._pace if self._is_stale else self._seldom):
            self._read_dear()
            return True
        if abs(self.values[RSS] - self._told_rss) > TOLD_KIB:
            self._read_status()
        elif self.values[MINOR] - self._told_faults > self._unasked_faults:
            self._ask_for_peak()
        return is_new

    def child_ended(self, child: Watched) -> None:
        """It may be told from now on of what that one read and wrote."""
        if self._reaped is None:
            self._reaped = Reaped()
        own = [child.values[at] for at in IO]
        self._reaped.child_ended(own if child._reaped is None else child._reaped.all_of(own))

    def lost_parent(self) -> None:
        """It is another's child now: the next look finds whose, though it does nothing."""
        self._is_quiet = False

    def had(self, peak_kib: int) -> None:
        """So much memory at most, as was told when it ended: the next look finds that."""
        if peak_kib > self.values[PEAK]:
            self.values[PEAK], self._seen, self._is_quiet = peak_kib, b"", False

    def ended(self) -> None:
        """Its last row says so."""
        self.values[STATE], self.values[THREADS], self.values[RSS] = GONE, 0, 0

    def close(self) -> None:
        for file in (self._stat, self._io, self._run):
            if file >= 0:
                os.close(file)
        self._stat = self._io = self._run = NOT_KEPT

    def _now(self, file: int, name: str) -> bytes:
        if file >= 0:
            return os.pread(file, SIZE, 0)
        return content(self._base + name, SIZE) if file == NOT_KEPT else b""

    def _read_stat(self, data: bytes) -> None:
        parts, values = fields_in(data), self.values
        if parts[19] != self._start or parts[17] == NO_THREADS:
            raise ProcessLookupError(self.pid)  # its number is another's now, or will be
        self._seen = data
        parent = int(parts[1])
        if parent != self.parent:
            self.parent, self.is_another = parent, True
        program, is_over = program_in(data, parts), parts[0] == b"Z"
        if program != self._program:
            # Of a first thread that has ended the kernel keeps the name alone.
            self.is_another |= not is_over or program[0] != self._program[0]
            self._program = program
            if not is_over:
                self._told_rss = -TOLD_KIB - 1  # its peak is asked for at once
        if is_over:
            parts = self._of_ended(parts)
        values[STATE] = parts[0][0]
        values[MINOR], values[MAJOR] = int(parts[7]), int(parts[9])
        values[USER], values[SYSTEM], values[CHILD_USER], values[CHILD_SYSTEM] = map(int, parts[11:15])
        threads = int(parts[17])
        if threads != values[THREADS]:
            self._has_threads(threads)
        values[RSS] = rss = int(parts[21]) * PAGE_KIB
        values[PEAK] = max(values[PEAK], rss)  # what the kernel saw between two looks is asked for later
        values[BLOCKED] = int(parts[39])

    def _of_ended(self, parts: list[bytes]) -> list[bytes]:
        """Its first thread has. As long as others run, they know of its memory, and of what it does."""
        if int(parts[17]) <= 1:
            self._age = self._seldom  # it will never tell more
            return parts
        alive = fields_in(of_another(stat_of, self._base, self.pid) or self._seen)
        return [alive[0], *parts[1:21], alive[21], *parts[22:]]

    def _read_io(self) -> bool:
        """Whether it is another."""
        try:
            data = self._now(self._io, "io")
        except PermissionError:
            self.is_closed = True  # one that changed its user may not be read any more
            return False
        if data == self._seen_io:
            return False
        self._seen_io = data
        told = [int(part) for part in data.split()[1:12:2]]
        if self._reaped is not None:
            told = self._reaped.own([self.values[at] for at in IO], told)
        for at, value in zip(IO, told):
            self.values[at] = value
        return True

    def _read_dear(self) -> None:
        before, most, self._is_stale = self._pace, _pace_most(self.values[THREADS]), False
        self._pace = min(2 * before or 1, most)
        self._age = SELDOM - self._seldom if before < most == self._pace else 0
        values, status = self.values, self._read_status()
        if not status:
            return  # where it is gone, the next look finds that
        if values[THREADS] <= 1:
            self._waits.read_only_thread(self.pid, self._now(self._run, "schedstat"), status)
        else:
            self._waits.read(self._base)
        values[WAITS_KNOWN], values[RUN_WAIT], values[VOLUNTARY], values[FORCED] = self._waits.sums

    def _has_threads(self, threads: int) -> None:
        """Another number than before. Of few more it is not minded each time: some programs have one more at each
        look."""
        before, self.values[THREADS] = self.values[THREADS], threads
        if threads > before > 0 and (threads >= 2 * self._paced or self._pace >= OFTEN):
            self._age, self._pace, self._paced = 0, 1, threads
        self._pace = min(self._pace, _pace_most(threads))

    def _ask_for_peak(self) -> None:
        before = self.values[PEAK]
        self._read_status()
        is_in_vain = self.values[PEAK] <= before + TOLD_KIB
        self._unasked_faults = 2 * self._unasked_faults if is_in_vain else FAULTS

    def _read_status(self) -> bytes:
        """What is shared of its memory is as fresh as all of it then."""
        values = self.values
        try:
            status = status_of_process(self._base, self.pid)
        except OSError:
            return b""
        for name, at in STATUS:
            values[at] = number(status, name, values[at])
        self._told_rss, self._told_faults = values[RSS], values[MINOR]
        return status


def _pace_most(threads: int) -> int:
    """The more it has, the dearer they are."""
    return max(OFTEN, min(threads, SELDOM))

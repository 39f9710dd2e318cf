"""One rank of MPI: where its threads spend their time, by looking at each of them some times a second of CPU time."""

from __future__ import annotations

import os
import struct

from paramon.perf.call import (
    CPU_CLOCK,
    DISABLED,
    EXCLUDE_HYPERVISOR,
    EXCLUDE_KERNEL,
    SOFTWARE,
    Event,
    Sampling,
    Scope,
)
from paramon.perf.pace import PAGES, STACK_BYTES, How
from paramon.perf.ring import Ring
from paramon.perf.sleep import Sleep, ran_ns
from paramon.perf.text import APPLICATION, ELSEWHERE, MPI, NO_CODE, Text
from paramon.sensors.sensor import Unavailable

INSTRUCTION_POINTER = {"x86_64": 1 << 8, "aarch64": 1 << 32, "riscv64": 1 << 0, "ppc64le": 1 << 32}
"""Of the user's registers (arch/*/include/uapi/asm/perf_regs.h)."""
THREADS_EVERY = 8
"""Drains from one look for new threads to the next."""
TEXT_PATIENCE_MOST = 256
"""Drains between two readings of the process's mappings, which are read anew where it is in code that was not there, or
calls from there. A young one loads libraries, so it is one drain first, and twice as many each time."""
SLEEP_PATIENCE = 4
"""Drains that pass until time asleep is nobody's, where it has never been seen asleep."""
BUSY_NS = 50_000_000
"""Threads that have never run so long are not sampled: MPI has some of its own that sleep all the time."""
NUMBER = struct.Struct("=Q")


class Rank:
    """`spent`: µs of CPU time of the first thread by APPLICATION, MPI and ELSEWHERE, and then those of all others;
    `slept`: µs of the first thread, in MPI, otherwise, and where nobody has ever seen it sleep."""

    def __init__(self, pid: int, text: Text, how: How) -> None:
        """`text` has been read. OSError where the process is gone or must not be looked at; Unavailable where
        none may be."""
        self._pid, self._text, self._how = pid, text, how
        self.spent = [0] * 6
        self.slept = [0, 0, 0]
        self.lost = 0
        self.samples = 0
        self._drains = self._text_age = 0
        self._text_patience = 1
        self._was_in_mpi = False
        self._slept_in_mpi: bool | None = None
        self._ran_ns = self._pending_ns = self._pending_looks = 0
        self._in_calls = [0, 0, 0]
        self._sleep = Sleep(pid, text)
        self._rings: dict[int, Ring] = {}
        try:
            self._rings[pid] = self._ring(pid)
        except (OSError, Unavailable):
            self._sleep.close()
            raise

    @property
    def threads(self) -> int:
        return len(self._rings)

    def drain(self) -> None:
        """OSError where it is gone."""
        self._text_age += 1
        self._take_all()
        if self._drains % THREADS_EVERY == 0:
            self._follow_threads()
        self._drains += 1
        first = self._rings.get(self._pid)
        where = self._sleep_place()
        is_certain = where is not None or (first is not None and first.is_counting())
        ran, slept = self._sleep.look(first.count() if first else 0, is_certain=is_certain)
        self._ran_ns += ran
        self._pending_ns += slept
        self._pending_looks = self._pending_looks + 1 if self._pending_ns else 0
        if where is not None or not self._sleep.is_seen:
            self._slept_in_mpi = where == MPI if where is not None else self._was_in_mpi
        if self._slept_in_mpi is not None or self._pending_looks > SLEEP_PATIENCE:
            self._settle()
        self._place_unseen()

    def set_period(self, how: How) -> None:
        self._take_all()
        self._how = how
        for ring in self._rings.values():
            ring.set_period(how.period_ns)

    def close(self) -> None:
        self._pending_ns += self._sleep.rest()
        self._settle()
        self._sleep.close()
        for ring in self._rings.values():
            ring.close()
        self._rings = {}

    def _take_all(self) -> None:
        for thread, ring in self._rings.items():
            self._take(ring, 0 if thread == self._pid else 3)

    def _take(self, ring: Ring, base: int) -> None:
        data, samples = ring.drain()
        lost = ring.take_lost()
        self.lost += lost
        if not samples:
            return
        self.samples += len(samples)
        # Those that were lost were as the others.
        worth = self._how.period_ns * (len(samples) + lost) // len(samples) // 1000
        at_page, spent = self._text.at, self.spent
        kind = ELSEWHERE
        for at in samples:
            (address,) = NUMBER.unpack_from(data, at + 8)
            kind = at_page(address)
            if kind > ELSEWHERE:
                (held,) = NUMBER.unpack_from(data, at + 16)
                stack = data[at + 24 : at + 24 + held]
                is_new, kind = kind == NO_CODE, self._text.caller(address, stack)
                if (is_new or kind == ELSEWHERE) and self._has_new_text():
                    kind = self._text.caller(address, stack)
                self._in_calls[kind] += not base
            spent[base + kind] += worth
        if not base:
            self._was_in_mpi = kind == MPI

    def _has_new_text(self) -> bool:
        if self._text_age < self._text_patience:
            return False
        self._text_age, self._text_patience = 0, min(2 * self._text_patience, TEXT_PATIENCE_MOST)
        try:
            self._text.reload()
        except OSError:
            return False  # it is gone: what is known of it must do
        return True

    def _sleep_place(self) -> int | None:
        """As `Sleep.where`."""
        where = self._sleep.where()
        return self._sleep.where() if where == ELSEWHERE and self._has_new_text() else where

    def _settle(self) -> None:
        """Time asleep belongs to whoever it was seen to sleep for last; where that must not be seen, to whoever it
        worked for last."""
        whole, self._pending_ns = divmod(self._pending_ns, 1000)
        at = 2 if self._slept_in_mpi is None else 0 if self._slept_in_mpi else 1
        self.slept[at] += whole

    def _place_unseen(self) -> None:
        """What the first thread ran and no sample has seen: in the kernel, where that is not sampled, and while it was
        switched to another, which is most of what a thread that yields all the time does. Who is seen in libc the more
        calls the kernel the more."""
        unseen_us, calls = self._ran_ns // 1000 - sum(self.spent[:3]), sum(self._in_calls)
        if unseen_us * 1000 < self._how.period_ns or not calls:
            return
        for kind in (APPLICATION, MPI, ELSEWHERE):
            self.spent[kind] += unseen_us * self._in_calls[kind] // calls

    def _follow_threads(self) -> None:
        there = {int(name) for name in os.listdir(f"/proc/{self._pid}/task")}
        for thread in [one for one in self._rings if one not in there]:
            self._take(self._rings[thread], 0 if thread == self._pid else 3)
            self._rings.pop(thread).close()
        for thread in sorted(there - set(self._rings)):
            if len(self._rings) >= self._how.threads_most:
                break
            try:
                if ran_ns(self._pid, thread) >= BUSY_NS:
                    self._rings[thread] = self._ring(thread)
            except (OSError, Unavailable):
                continue

    def _ring(self, thread: int) -> Ring:
        register = INSTRUCTION_POINTER.get(os.uname().machine, 0)
        if not register:
            raise Unavailable(f"no sampling on {os.uname().machine} yet", f"暂不支持在 {os.uname().machine} 上采样")
        flags = DISABLED | EXCLUDE_HYPERVISOR | (EXCLUDE_KERNEL if self._how.is_user_only else 0)
        sampling = Sampling(self._how.period_ns, register, STACK_BYTES)
        return Ring(Event(SOFTWARE, CPU_CLOCK), sampling, Scope(thread), flags=flags, pages=PAGES)

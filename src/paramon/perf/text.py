"""Whose code an address is: the application's, an MPI library's, or a library's that both of them call.

Libraries are rarely built with frame pointers, so a call chain that follows them goes astray just where it matters: in
libc, called by MPI. What lies on the stack is looked at instead: from its top on, the first word that points into code
of the application or of MPI is where the call came from. Older words that nobody has written over are deeper in it, so
they seldom come first.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_right

APPLICATION, MPI, ELSEWHERE = range(3)
SHARED = 3
"""Code that both call: who called it decides."""
NO_CODE = 4
MPI_PREFIXES = (
    "libmpi", "libpmpi", "libmpich", "libopen-pal", "libopen-rte", "libprrte", "mca_", "libmca_", "libuc", "libfabric",
    "libpsm", "libpmix", "libpmi", "libibverbs", "librdmacm", "libmlx", "libefa", "libhcoll", "libsharp", "libmxm",
    "libvader", "libportals", "libtofu", "libknem",
)  # fmt: skip
"""Of Open MPI, MPICH, Intel MPI and MVAPICH, and of what they drive networks by."""
MPI_SUFFIX = "-fi.so"
"""Providers of libfabric."""
MAIN_PREFIXES = ("libmpi", "libpmpi")
"""Where one of these is mapped, MPI is spoken."""
THREADING_PREFIXES = ("libgomp", "libomp", "libiomp5")
"""Threads that wait for each other in OpenMP do nothing useful."""
SHARED_PREFIXES = (
    "libc.", "libc-", "libpthread", "librt.", "librt-", "libdl.", "libdl-", "ld-", "ld.so", "[vdso]", "[vsyscall]",
    "libm.", "libm-", "libevent", "libstdc++", "libgcc_s", "libhwloc", "libnl-", "libnuma", "libffi", "libz.", "linux-",
)  # fmt: skip
PAGE_BITS = 12
MAPS_MOST = 4 << 20
DEEPEST = 1 << 63
"""Addresses from there on are the kernel's."""


def kind_of(path: str) -> int:
    """APPLICATION, MPI, ELSEWHERE or SHARED, by the name of a mapped file."""
    name = path.rpartition("/")[2]
    if name.startswith(MPI_PREFIXES) or name.endswith(MPI_SUFFIX):
        return MPI
    if name.startswith(THREADING_PREFIXES):
        return ELSEWHERE
    return SHARED if name.startswith(SHARED_PREFIXES) else APPLICATION


class Text:
    """The code of one process. `speaks_mpi`: a library of MPI is there."""

    def __init__(self, pid: int, root: str = "/proc") -> None:
        """Nothing is read until `reload`."""
        self._path = f"{root}/{pid}/maps"
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._kinds: list[int] = []
        self._pages: dict[int, int] = {}
        self.speaks_mpi = False

    def reload(self) -> None:
        """OSError where it is gone or must not be read. A large one costs about 1 µs a mapping."""
        mappings = _content(self._path).splitlines()
        self._starts, self._ends, self._kinds, self._pages = [], [], [], {}
        for line in mappings:
            parts = line.split(None, 5)
            if len(parts) < 5 or "x" not in parts[1]:
                continue
            path = parts[5] if len(parts) > 5 else ""
            start, _, end = parts[0].partition("-")
            self._starts.append(int(start, 16))
            self._ends.append(int(end, 16))
            self._kinds.append(kind_of(path))
            self.speaks_mpi = self.speaks_mpi or path.rpartition("/")[2].startswith(MAIN_PREFIXES)

    def at(self, address: int) -> int:
        """As `kind_of`, or NO_CODE."""
        page = address >> PAGE_BITS
        kind = self._pages.get(page)
        if kind is None:
            kind = self._pages[page] = self._looked_up(address)
        return kind

    def caller(self, address: int, stack: bytes) -> int:
        """APPLICATION, MPI or ELSEWHERE: whoever a thread that is there works for, by its stack from the top on."""
        kind = self.at(address)
        if kind < SHARED:
            return kind
        first = self._starts[0] if self._starts else DEEPEST
        for word in struct.unpack(f"={len(stack) // 8}Q", stack[: len(stack) & ~7]):
            if first <= word < DEEPEST:
                kind = self._looked_up(word)
                if kind < SHARED:
                    return kind
        return ELSEWHERE

    def _looked_up(self, address: int) -> int:
        at = bisect_right(self._starts, address) - 1
        return self._kinds[at] if at >= 0 and address < self._ends[at] else NO_CODE


def _content(path: str) -> str:
    file, found = os.open(path, os.O_RDONLY | os.O_CLOEXEC), bytearray()
    try:
        while len(found) < MAPS_MOST:
            more = os.read(file, 1 << 16)
            if not more:
                break
            found += more
    finally:
        os.close(file)
    return found.decode("utf-8", "surrogateescape")

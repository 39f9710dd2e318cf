"""File systems of other machines: NFS (nfsiostat(8) reads the same file), since each was mounted."""

from __future__ import annotations

from paramon.sensors.file import KeptFile
from paramon.sensors.sensor import Unavailable

FROM_SERVER, TO_SERVER = 5, 6
OPS, SENT, TIMEOUTS, RTT_MS, EXECUTE_MS = 1, 2, 3, 7, 8


class Nfs:
    """By mount: `nfs./home.read_bytes`. Bytes between this node and the server; for reads, writes and all other
    requests: how many, milliseconds on the way and at the server (rtt), and those with waiting here (execute), summed
    over requests; how often a request was repeated, and how often no answer came in time."""

    name = "nfs"

    def __init__(self, root: str = "/proc") -> None:
        self._file = KeptFile(f"{root}/self/mountstats")
        if not self.read():
            self._file.close()
            raise Unavailable("no file system is mounted by NFS", "没有通过 NFS 挂载的文件系统")

    def read(self) -> dict[str, int]:
        found: dict[str, int] = {}
        start, in_requests = "", False
        for line in self._file.read_all().split(b"\n"):
            if line.startswith(b"device "):
                start, in_requests = _start(line), False
            elif not start:
                continue
            elif in_requests:
                _add_requests(found, start, line.split())
            else:
                told = line.strip()
                if told.startswith(b"bytes:"):
                    parts = told.split()
                    found[start + "read_bytes"] = int(parts[FROM_SERVER])
                    found[start + "written_bytes"] = int(parts[TO_SERVER])
                in_requests = told == b"per-op statistics"
        return found

    def close(self) -> None:
        self._file.close()


def _start(line: bytes) -> str:
    """Of the series; empty for other file systems. `device SERVER:/PATH mounted on MOUNT with fstype nfs4 …`."""
    parts = line.split()
    is_nfs = len(parts) > 7 and parts[7] in (b"nfs", b"nfs4")
    return f"nfs.{parts[4].decode('utf-8', 'replace')}." if is_nfs else ""


def _add_requests(found: dict[str, int], start: str, parts: list[bytes]) -> None:
    """Of one kind, such as `READ: 12 12 0 …`."""
    if len(parts) <= EXECUTE_MS:
        return
    kind = {b"READ:": "read", b"WRITE:": "write"}.get(parts[0], "other")
    told = {
        f"{kind}_requests": int(parts[OPS]),
        f"{kind}_rtt_ms": int(parts[RTT_MS]),
        f"{kind}_execute_ms": int(parts[EXECUTE_MS]),
        "repeated_requests": max(int(parts[SENT]) - int(parts[OPS]), 0),
        "timeouts": int(parts[TIMEOUTS]),
    }
    for what, value in told.items():
        found[start + what] = found.get(start + what, 0) + value

"""What this node asks of Lustre (Lustre Operations Manual, "Monitoring the client": llite.*.stats), since each was
mounted."""

from __future__ import annotations

from paramon.sensors.file import content, names
from paramon.sensors.sensor import Unavailable

REQUESTS = {
    b"read_bytes": "reads",
    b"write_bytes": "writes",
    b"open": "opens",
    b"close": "closes",
    b"getattr": "getattrs",
    b"setattr": "setattrs",
    b"getxattr": "getxattrs",
    b"mknod": "creates",
    b"create": "creates",
    b"unlink": "unlinks",
    b"mkdir": "mkdirs",
    b"rmdir": "rmdirs",
    b"rename": "renames",
    b"readdir": "readdirs",
    b"fsync": "fsyncs",
    b"flock": "flocks",
    b"statfs": "statfs",
    b"seek": "seeks",
    b"ioctl": "ioctls",
    b"page_fault": "page_faults",
}
BYTES = {b"read_bytes": "read_bytes", b"write_bytes": "written_bytes"}
SUM = 6
"""`NAME COUNT samples [UNIT] LEAST MOST SUM SQUARES`; requests without a size have the first four alone."""


class Lustre:
    """By file system: `lustre.scratch.read_bytes`, `lustre.scratch.opens`. Where one is mounted twice, the sum."""

    name = "lustre"

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        self._paths: list[tuple[str, str]] = []
        folders = (f"{proc}/fs/lustre/llite", f"{sys}/kernel/debug/lustre/llite")
        for folder in folders:
            for mount in names(folder):
                path = f"{folder}/{mount}/stats"
                try:
                    content(path)
                except OSError:
                    continue
                # The name ends with the mount's address in the kernel: another one after each mount.
                self._paths.append((f"lustre.{mount.rpartition('-')[0] or mount}.", path))
            if self._paths:
                return
        raise Unavailable(
            f"no statistics of Lustre in {' or '.join(folders)} (the latter is root's)",
            f"{' 或 '.join(folders)} 中没有 Lustre 统计（后者仅 root 可读）",
        )

    def read(self) -> dict[str, int]:
        found: dict[str, int] = {}
        unread = 0
        for start, path in self._paths:
            try:
                told = content(path)
            except OSError:
                unread += 1
                continue
            for line in told.split(b"\n"):
                _add(found, start, line.split())
        if unread == len(self._paths):
            raise OSError(2, "Lustre is not mounted any more")
        return found

    def close(self) -> None:
        pass


def _add(found: dict[str, int], start: str, parts: list[bytes]) -> None:
    if len(parts) < 2 or parts[0] not in REQUESTS:
        return
    series = start + REQUESTS[parts[0]]
    found[series] = found.get(series, 0) + int(parts[1])
    if parts[0] in BYTES and len(parts) > SUM:
        series = start + BYTES[parts[0]]
        found[series] = found.get(series, 0) + int(parts[SUM])

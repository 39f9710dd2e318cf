"""What goes over the node's network devices (proc_pid_net(5)), since the machine started."""

from __future__ import annotations

import os

from paramon.sensors.file import KeptFile
from paramon.sensors.sensor import Unavailable

COLUMNS = (
    (0, "received_bytes"),
    (1, "received_packets"),
    (2, "received_errors"),
    (3, "received_drops"),
    (8, "sent_bytes"),
    (9, "sent_packets"),
    (10, "sent_errors"),
    (11, "sent_drops"),
)
NOISE = ("lo", "veth", "docker", "br-", "virbr", "cali", "cni", "flannel", "ifb", "dummy", "tunl", "sit", "gre", "ip6")


class Network:
    """Devices that are hardware, each byte once: not bridges, bonds and VLANs over them. Inside a container, where
    nothing looks like hardware, all that is no known noise."""

    name = "network"

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        self._file, self._sys = KeptFile(f"{proc}/net/dev"), sys
        self._counted: dict[bytes, str] = {}
        """By the name of a device that is there: its series' beginning, empty for one that is not counted."""
        self._is_bare = not any(self._is_hardware(name) for name, _ in self._lines())
        if not self.read():
            self._file.close()
            raise Unavailable(
                f"{proc}/net/dev: no network device but the machine's own loop",
                f"{proc}/net/dev：除本机回环外没有网络设备",
            )

    def read(self) -> dict[str, int]:
        found = {}
        known, self._counted = self._counted, {}  # a node of containers has other devices all the time
        for name, text in self._lines():
            start = known.get(name)
            if start is None:
                start = f"network.{name.decode()}." if self._is_counted(name) else ""
            self._counted[name] = start
            if start:
                parts = text.split()
                for at, what in COLUMNS:
                    found[start + what] = int(parts[at])
        return found

    def close(self) -> None:
        self._file.close()

    def _lines(self) -> list[tuple[bytes, bytes]]:
        """Names, and what is told of them."""
        split = (line.partition(b":") for line in self._file.read_all().split(b"\n")[2:-1])
        return [(name.strip(), told) for name, _, told in split]

    def _is_counted(self, name: bytes) -> bool:
        return self._is_hardware(name) or (self._is_bare and not name.decode().startswith(NOISE))

    def _is_hardware(self, name: bytes) -> bool:
        return os.path.exists(f"{self._sys}/class/net/{name.decode()}/device")

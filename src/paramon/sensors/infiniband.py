"""What goes over InfiniBand and Omni-Path ports (Documentation/ABI/stable/sysfs-class-infiniband of Linux)."""

from __future__ import annotations

from typing import NamedTuple

from paramon.sensors.file import content, names, text
from paramon.sensors.sensor import Unavailable

WORD_BYTES = 4
"""A port counts its data in words of so many bytes."""
COUNTERS = {
    "counters/port_xmit_data": "sent_bytes",
    "counters/port_rcv_data": "received_bytes",
    "counters/port_xmit_packets": "sent_packets",
    "counters/port_rcv_packets": "received_packets",
    "counters/port_xmit_wait": "sent_wait_ticks",
    "counters/port_xmit_discards": "sent_discards",
    "counters/port_rcv_errors": "received_errors",
    "counters/symbol_error": "symbol_errors",
    "counters/link_error_recovery": "link_recoveries",
    "counters/link_downed": "link_downed",
    "hw_counters/np_ecn_marked_roce_packets": "congestion_marked_packets",
    "hw_counters/np_cnp_sent": "congestion_notices_sent",
    "hw_counters/rp_cnp_handled": "congestion_notices_handled",
    "hw_counters/out_of_sequence": "out_of_sequence",
    "hw_counters/packet_seq_err": "sequence_errors",
    "hw_counters/local_ack_timeout_err": "timeouts",
    "hw_counters/rnr_nak_retry_err": "receiver_not_ready",
}
"""A read asks the card's firmware, so only what tells something is read."""


class _Counter(NamedTuple):
    series: str
    path: str
    unit_bytes: int


class InfiniBand:
    """By card and port: `infiniband.mlx5_0.1.sent_bytes`. Ports without a link are left out."""

    name = "infiniband"

    def __init__(self, root: str = "/sys") -> None:
        folder = f"{root}/class/infiniband"
        self._counters: list[_Counter] = []
        for card in names(folder):
            for port in names(f"{folder}/{card}/ports"):
                base = f"{folder}/{card}/ports/{port}"
                if "ACTIVE" in text(f"{base}/state"):
                    self._counters += _counters(base, f"{self.name}.{card}.{port}.")
        if not self._counters:
            raise Unavailable(f"{folder}: no port with a link", f"{folder}：没有已连接的端口")

    def read(self) -> dict[str, int]:
        found = {}
        for series, path, unit_bytes in self._counters:
            try:
                found[series] = int(content(path, 32)) * unit_bytes
            except (OSError, ValueError):
                continue  # a card that is being reset; the others go on
        if not found:
            raise OSError(5, "no port answers")
        return found

    def close(self) -> None:
        pass


def _counters(base: str, start: str) -> list[_Counter]:
    """Those that this card has."""
    there = {f"{kind}/{name}" for kind in ("counters", "hw_counters") for name in names(f"{base}/{kind}")}
    return [
        _Counter(start + what, f"{base}/{path}", WORD_BYTES if what.endswith("_bytes") else 1)
        for path, what in COUNTERS.items()
        if path in there
    ]

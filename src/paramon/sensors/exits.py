"""Each thread that ends on this node, told by the kernel (Documentation/accounting/taskstats.rst of Linux): what lives
for milliseconds is never met by who looks once a second."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys

from paramon.sensors.file import text
from paramon.sensors.sensor import Unavailable
from paramon.sensors.taskstats import Exit, exit_of

GENERIC = 16
CONTROL, GET_FAMILY, FAMILY_ID, FAMILY_NAME = 16, 3, 1, 2
COMMAND, REGISTER = 1, 3
NEW_PID, STATS, OF_THREAD = 1, 3, 4
ERROR, REQUEST, ACKNOWLEDGE = 2, 1, 4
HEAD, GENERIC_HEAD, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBH"), struct.Struct("=HH")
PAYLOAD = HEAD.size + GENERIC_HEAD.size
SO_RCVBUFFORCE = 33
BUFFER = 8 << 20
"""Bytes: a record takes 1.3 KiB of it, so that some 6,000 processes may end from one look to the next."""
PATIENCE_SECONDS = 2.0


class Exits:
    """`lost` grows by one each time the kernel could not tell us all, because too many ended at once."""

    def __init__(self, root: str = "/sys") -> None:
        self.lost = 0
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC)
        except OSError as wrong:
            raise _unavailable(wrong) from None
        try:
            self._socket.bind((0, 0))
            self._socket.settimeout(PATIENCE_SECONDS)
            self._family = self._find_family()
            cores = text(f"{root}/devices/system/cpu/possible") or f"0-{(os.cpu_count() or 1) - 1}"
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
            self._ask(self._family, COMMAND, REGISTER, cores.encode() + b"\0")
            self._socket.setblocking(False)  # noqa: FBT003  # its only parameter
        except OSError as wrong:
            self._socket.close()
            raise _unavailable(wrong) from None

    def drain(self) -> list[Exit]:
        """Those that ended since the last call, in that order."""
        found: list[Exit] = []
        while True:
            try:
                data = self._socket.recv(8192)
            except BlockingIOError:
                return found
            except OSError as wrong:
                if wrong.errno != errno.ENOBUFS:
                    return found
                self.lost += 1
                continue
            one = self._read(data)
            if one is not None:
                found.append(one)

    def close(self) -> None:
        """The kernel forgets a listener whose socket is gone."""
        self._socket.close()

    def _read(self, data: bytes) -> Exit | None:
        if HEAD.unpack_from(data)[1] != self._family:
            return None
        whole = _attributes(data[PAYLOAD:]).get(OF_THREAD)
        if whole is None:
            return None
        told = _attributes(whole)
        return exit_of(told[STATS], int.from_bytes(told[NEW_PID], sys.byteorder))

    def _find_family(self) -> int:
        answer = self._ask(CONTROL, GET_FAMILY, FAMILY_NAME, b"TASKSTATS\0", has_answer=True)
        return int.from_bytes(_attributes(answer)[FAMILY_ID], sys.byteorder)

    def _ask(self, family: int, command: int, attribute: int, value: bytes, *, has_answer: bool = False) -> bytes:
        """OSError where the kernel says no."""
        body = GENERIC_HEAD.pack(command, 1, 0) + ATTRIBUTE.pack(ATTRIBUTE.size + len(value), attribute) + value
        body += b"\0" * (-len(body) % 4)
        self._socket.send(HEAD.pack(HEAD.size + len(body), family, REQUEST | ACKNOWLEDGE, 1, 0) + body)
        answer = b""
        while True:
            data = self._socket.recv(8192)
            if HEAD.unpack_from(data)[1] != ERROR:
                answer = answer or data[PAYLOAD:]
                continue
            code = -int.from_bytes(data[HEAD.size : HEAD.size + 4], sys.byteorder, signed=True)
            if code:
                raise OSError(code, os.strerror(code))
            if answer or not has_answer:
                return answer


def _attributes(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + ATTRIBUTE.size <= len(data):
        size, kind = ATTRIBUTE.unpack_from(data, at)
        if size < ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = data[at + ATTRIBUTE.size : at + size]
        at += (size + 3) & ~3
    return found


def _unavailable(wrong: OSError) -> Unavailable:
    if wrong.errno in (errno.EPERM, errno.EACCES):
        return Unavailable(
            "exit records need the capability CAP_NET_ADMIN: short-lived processes are counted by who waits for them",
            "进程退出记录需要 CAP_NET_ADMIN 权限：短生命周期进程仅由等待它的进程计入",
        )
    if wrong.errno == errno.EINVAL:
        return Unavailable(
            "exit records are told outside of containers alone (the first user and PID namespace)",
            "进程退出记录只能在容器之外获得（初始用户与 PID 命名空间）",
        )
    return Unavailable(
        f"this kernel tells no exit records (taskstats): {wrong.strerror or wrong}",
        f"内核不提供进程退出记录（taskstats）：{wrong.strerror or wrong}",
    )

"""Answers to who asks for the metrics, between two looks: nothing here waits for a client.

Each has some seconds and some kibibytes for its request and its answer. Where too many are there, the one that has been
there longest goes, so that none of them keeps others out. http.server would take 4 MiB and a thread a client.
"""

from __future__ import annotations

import select
import socket
import time
from typing import Callable

from paramon.agent.request import END, answer_to
from paramon.errors import Refused
from paramon.sensors.file import TOO_MANY_FILES

CLIENTS_MOST = 16
REQUEST_MOST = 8192
PATIENCE_SECONDS = 5.0
DISCARDED_MOST = 1 << 20
"""Bytes that are read after the answer: who closes with some unread would take the answer back (RFC 9112, 9.6)."""
PIECE = 4096
DEAF_SECONDS = 1.0
"""After no file was left for a client."""


class Client:
    """`asked` until the request is whole; then `answer`, of which `sent` bytes are sent; after that it is waited for
    the client to close."""

    __slots__ = ("answer", "asked", "discarded", "due", "sent", "socket")

    def __init__(self, one: socket.socket, due: float) -> None:
        self.socket, self.due = one, due
        self.asked, self.answer, self.sent, self.discarded = b"", b"", 0, 0


class Server:
    """`page`: what is served. `wake`: a file that ends a wait when it can be read."""

    def __init__(
        self,
        listener: socket.socket,
        page: Callable[[], bytes],
        wake: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._page, self._wake, self._clock = page, wake, clock
        self._listener = listener
        self._clients: dict[int, Client] = {}
        self._poll = select.poll()  # select(2) knows no file above 1023, and processes' files may be as many
        self._poll.register(self._listener, select.POLLIN)
        self._poll.register(wake, select.POLLIN)
        self._deaf_until: float | None = None
        self.answers: dict[int, int] = {}
        """How many, by status."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    def serve(self, wait_seconds: float) -> bool:
        """What is to do now, or within that time; once for each client. Whether it was woken."""
        self._hear_again()
        dues = [one.due for one in self._clients.values()]
        if self._deaf_until is not None:
            dues.append(self._deaf_until)
        wait = max(min(wait_seconds, min(dues, default=float("inf")) - self._clock()), 0.0)
        is_woken = False
        for file, events in self._poll.poll(int(wait * 1000) + bool(wait)):
            if file == self._wake:
                is_woken = True
            elif file == self._listener.fileno():
                self._accept()
            elif file in self._clients:
                self._step(file, events)
        now = self._clock()
        for file in [file for file, one in self._clients.items() if one.due <= now]:
            self._drop(file)
        return is_woken

    def close(self) -> None:
        for file in list(self._clients):
            self._drop(file)
        self._listener.close()

    def _accept(self) -> None:
        try:
            one, _ = self._listener.accept()
        except OSError as wrong:
            if wrong.errno in TOO_MANY_FILES:  # it goes on waiting, and would wake us without end
                self._poll.unregister(self._listener)
                self._deaf_until = self._clock() + DEAF_SECONDS
            return
        one.setblocking(False)  # noqa: FBT003  # its only parameter
        if len(self._clients) >= CLIENTS_MOST:
            self._drop(next(iter(self._clients)))
        self._clients[one.fileno()] = Client(one, self._clock() + PATIENCE_SECONDS)
        self._poll.register(one, select.POLLIN)

    def _hear_again(self) -> None:
        if self._deaf_until is not None and self._clock() >= self._deaf_until:
            self._deaf_until = None
            self._poll.register(self._listener, select.POLLIN)

    def _step(self, file: int, events: int) -> None:
        client = self._clients[file]
        try:
            if client.sent < len(client.answer):
                self._send(client)
            elif events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                self._receive(client)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(file)

    def _receive(self, client: Client) -> None:
        piece = client.socket.recv(PIECE)
        if not piece:
            self._drop(client.socket.fileno())
            return
        if client.answer:
            client.discarded += len(piece)
            if client.discarded > DISCARDED_MOST:
                self._drop(client.socket.fileno())
            return
        client.asked += piece
        if END not in client.asked and len(client.asked) <= REQUEST_MOST:
            return
        status, client.answer = answer_to(client.asked, self._page)
        client.asked = b""
        self.answers[status] = self.answers.get(status, 0) + 1
        self._send(client)

    def _send(self, client: Client) -> None:
        """As much as goes now."""
        try:
            client.sent += client.socket.send(memoryview(client.answer)[client.sent :])
        except BlockingIOError:
            pass
        is_sent = client.sent >= len(client.answer)
        if is_sent:
            client.socket.shutdown(socket.SHUT_WR)
        self._poll.modify(client.socket, select.POLLIN if is_sent else select.POLLOUT)

    def _drop(self, file: int) -> None:
        client = self._clients.pop(file)
        self._poll.unregister(file)
        client.socket.close()


def listening(address: tuple[str, int]) -> socket.socket:
    """Refused where nothing can."""
    host, port = address
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(CLIENTS_MOST)
        listener.setblocking(False)  # noqa: FBT003  # its only parameter
    except OSError as wrong:
        listener.close()
        raise Refused(
            f"Nothing can listen on {host}:{port} ({wrong.strerror}): name another with --listen.",
            f"无法监听 {host}:{port}（{wrong.strerror}）：请用 --listen 指定其他地址。",
        ) from None
    return listener

"""What a client of the agent asked for, and the answer as bytes (RFC 9112, HTTP/1.1). One request a connection."""

from __future__ import annotations

from typing import Callable

from paramon.agent.openmetrics import CONTENT_TYPE

METRICS_PATH = "/metrics"
ABSOLUTE = "http://"
"""Before the host, where a client asks as it would ask a proxy: that must be understood (RFC 9112, 3.2.2)."""
END = b"\r\n\r\n"
PLAIN = "text/plain; charset=utf-8"
OK, BAD_REQUEST, NOT_FOUND, NOT_ALLOWED, TOO_LARGE = 200, 400, 404, 405, 431
REASONS = {
    OK: "OK",
    BAD_REQUEST: "Bad Request",
    NOT_FOUND: "Not Found",
    NOT_ALLOWED: "Method Not Allowed",
    TOO_LARGE: "Request Header Fields Too Large",
}


def answer_to(request: bytes, page: Callable[[], bytes]) -> tuple[int, bytes]:
    """`request`: its head, to END, or what came of one that is too large. Status, and all that is to be sent; `page` is
    asked for only where it is wanted."""
    status, body = _found(request, page)
    kind = CONTENT_TYPE if status == OK else PLAIN
    allowed = "Allow: GET, HEAD\r\n" if status == NOT_ALLOWED else ""
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        f"{allowed}Connection: close\r\n\r\n"
    ).encode()
    return status, head if request.startswith(b"HEAD ") else head + body


def _found(request: bytes, page: Callable[[], bytes]) -> tuple[int, bytes]:
    """Status and body."""
    if END not in request:
        return TOO_LARGE, b"The request is too large.\n"
    parts = request.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        return BAD_REQUEST, b"This is no request of HTTP/1.1.\n"
    method, target = parts[:2]
    if target[: len(ABSOLUTE)].lower() == ABSOLUTE:
        target = "/" + target[len(ABSOLUTE) :].partition("/")[2]
    if not target.startswith("/"):
        return BAD_REQUEST, b"This is no request of HTTP/1.1.\n"
    if target.partition("?")[0] != METRICS_PATH:
        return NOT_FOUND, f"Metrics are at {METRICS_PATH}.\n".encode()
    if method not in ("GET", "HEAD"):
        return NOT_ALLOWED, b"GET is what is answered.\n"
    return OK, page()

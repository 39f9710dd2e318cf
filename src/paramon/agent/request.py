"""What a client of the agent asked for, and the answer as bytes (RFC 9112, HTTP/1.1). One request a connection."""

from __future__ import annotations

from typing import Callable

from paramon.agent.openmetrics import CONTENT_TYPE

METRICS_PATH = "/metrics"
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
    """`request`: its head, to END. Status, and all that is to be sent; `page` is asked for only where it is wanted."""
    line = request.partition(b"\r\n")[0].decode("latin-1")
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[1].startswith("/"):
        return refusal(BAD_REQUEST, "This is no request of HTTP/1.1.\n")
    method, path = parts[0], parts[1].partition("?")[0]
    if path != METRICS_PATH:
        return refusal(NOT_FOUND, f"Metrics are at {METRICS_PATH}.\n")
    if method not in ("GET", "HEAD"):
        return refusal(NOT_ALLOWED, "GET is what is answered.\n", "Allow: GET, HEAD\r\n")
    body = page()
    head = _head(OK, CONTENT_TYPE, len(body))
    return OK, head if method == "HEAD" else head + body


def refusal(status: int, told: str, more: str = "") -> tuple[int, bytes]:
    body = told.encode()
    return status, _head(status, PLAIN, len(body), more) + body


def _head(status: int, content_type: str, size: int, more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {content_type}\r\nContent-Length: {size}\r\n"
        f"{more}Connection: close\r\n\r\n"
    ).encode()

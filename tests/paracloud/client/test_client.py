import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from paracloud.client.calls import TRIES
from paracloud.client.client import Client
from paracloud.client.errors import ApiError
from paracloud.wire.account import UserRequest
from paracloud.wire.jobs import JobRequest

ACCEPTED = {
    "id": str(uuid4()),
    "centre": "east",
    "queue": "cpu",
    "why_en": "why",
    "state": "accepted",
    "why_zh": "因",
    "notices": [],
    "held": {"amount": "1.000000", "currency": "CNY"},
}
BUSY = {"code": "unreachable", "detail": "The database is busy.", "detail_zh": "数据库繁忙。"}


@contextmanager
def server(refusals: int, answer: dict[str, object]) -> Iterator[tuple[str, list[str | None]]]:
    """Says 503 so many times, then answers; keeps the Idempotency-Key of each request."""
    keys: list[str | None] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            is_busy = len(keys) <= refusals
            body = json.dumps(BUSY if is_busy else answer).encode()
            self.send_response(503 if is_busy else 201)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as opened:
        thread = threading.Thread(target=opened.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{opened.server_address[1]}", keys
        finally:
            opened.shutdown()
            thread.join()


def request() -> JobRequest:
    return JobRequest(project=uuid4(), script="#!/bin/bash\n")


def test_a_submission_is_repeated_under_its_one_key_until_the_server_is_back() -> None:
    with server(2, ACCEPTED) as (url, keys), Client(url, "t") as client:
        assert str(client.submit(request()).id) == ACCEPTED["id"]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert keys[0]


def test_a_server_that_stays_away_is_given_up_with_its_own_words() -> None:
    with server(TRIES, ACCEPTED) as (url, keys), Client(url, "t") as client, pytest.raises(ApiError) as refused:
        client.submit(request())
    assert (refused.value.status, refused.value.en, refused.value.zh) == (503, BUSY["detail"], BUSY["detail_zh"])
    assert len(keys) == TRIES


def test_what_may_not_be_repeated_is_sent_once() -> None:
    with server(1, {"id": "x"}) as (url, keys), Client(url, "t") as client, pytest.raises(ApiError):
        client.operator("users", UserRequest(login="lin"))
    assert len(keys) == 1


def test_no_server_at_all_is_no_answer() -> None:
    with Client("http://127.0.0.1:1", "t") as client, pytest.raises(ApiError) as refused:
        client.whoami()
    assert (refused.value.status, refused.value.code) == (0, "unreachable")

"""Who asks, and how: a page for who asks for it, and nothing that any client does keeps others waiting."""

import os
import resource
import select
import socket
from collections.abc import Iterator

import pytest

from paramon.agent import serve
from paramon.agent.openmetrics import CONTENT_TYPE
from paramon.agent.serve import CLIENTS_MOST, PATIENCE_SECONDS, REQUEST_MOST, Server, listening
from paramon.errors import Refused

PAGE = b"# EOF\n"
ASKED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


class World:
    """A server whose time passes when the test says so. It never waits for long: a client's bytes are there at once."""

    def __init__(self, page: bytes = PAGE):
        self.seconds, self.pages = 0.0, 0
        self.page = page
        self.woken, self.wake = os.pipe()
        self.server = Server(listening(("127.0.0.1", 0)), self._made, self.woken, lambda: self.seconds)
        self.clients: list[socket.socket] = []

    def _made(self) -> bytes:
        self.pages += 1
        return self.page

    def client(self, first: bytes = b"") -> socket.socket:
        one = socket.create_connection(self.server.address, timeout=10)
        self.clients.append(one)
        self.server.serve(10)
        if first:
            one.sendall(first)
            self.server.serve(10)
        return one

    def answer(self, one: socket.socket) -> bytes:
        """All of it, the end too."""
        found = b""
        while True:
            if select.select([one], [], [], 0)[0]:
                more = one.recv(1 << 16)
                if not more:
                    return found
                found += more
            else:
                self.server.serve(0.01)

    def ask(self, request: bytes) -> bytes:
        return self.answer(self.client(request))

    def close(self) -> None:
        self.server.close()
        for one in self.clients:
            one.close()
        os.close(self.woken)
        os.close(self.wake)


@pytest.fixture
def world() -> Iterator[World]:
    one = World()
    yield one
    one.close()


def test_the_page_comes_with_its_type_and_length(world: World):
    head, _, body = world.ask(ASKED).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert f"Content-Type: {CONTENT_TYPE}" in lines
    assert f"Content-Length: {len(PAGE)}" in lines
    assert body == PAGE


@pytest.mark.parametrize(
    ("request_line", "status", "has_page"),
    [
        (b"GET /metrics?x=1 HTTP/1.0", 200, True),
        (b"HEAD /metrics HTTP/1.1", 200, False),
        (b"GET http://n1:9101/metrics?x=/1 HTTP/1.1", 200, True),
        (b"HEAD HTTP://n1/metrics HTTP/1.1", 200, False),
        (b"GET http://n1 HTTP/1.1", 404, False),
        (b"GET http://metrics HTTP/1.1", 404, False),
        (b"GET ftp://n1/metrics HTTP/1.1", 400, False),
        (b"GET / HTTP/1.1", 404, False),
        (b"GET /metrics/ HTTP/1.1", 404, False),
        (b"POST /metrics HTTP/1.1", 405, False),
        (b"GET /metrics", 400, False),
        (b"GET metrics HTTP/1.1", 400, False),
        (b"\x16\x03\x01\xff\xfe", 400, False),
        (b"", 400, False),
    ],
)
def test_what_is_asked_for_is_answered(world: World, request_line, status, has_page):
    told = world.ask(request_line + b"\r\n\r\n")
    assert int(told.split()[1]) == status
    assert told.endswith(b"\r\n\r\n" + PAGE) == has_page
    assert world.pages == int(status == 200)
    assert world.server.answers == {status: 1}


@pytest.mark.parametrize(
    ("rest", "status"),
    [(b"/ HTTP/1.1\r\n\r\n", 404), (b"/\r\n\r\n", 400), (b"/" * REQUEST_MOST, 431)],
    ids=["not there", "no request", "too large"],
)
def test_who_asks_for_the_head_alone_gets_no_body_of_a_refusal_either(world: World, rest, status):
    told = world.client(b"HEAD ")
    told.sendall(rest)
    head, _, body = world.answer(told).partition(b"\r\n\r\n")
    assert (int(head.split()[1]), body) == (status, b"")
    assert b"Content-Length: 0" not in head


def test_a_request_in_pieces_is_one(world: World):
    one = world.client()
    for at in range(len(ASKED)):
        one.sendall(ASKED[at : at + 1])
        world.server.serve(10)
    assert world.answer(one).endswith(PAGE)


def test_a_request_without_end_is_refused(world: World):
    one = world.client()
    sent = 0
    while not world.server.answers and sent < 10 * REQUEST_MOST:
        one.sendall(b"x" * 1000)
        sent += 1000
        world.server.serve(10)
    assert sent <= REQUEST_MOST + 2000
    assert world.answer(one).startswith(b"HTTP/1.1 431 ")


def test_one_that_says_nothing_is_dropped_after_its_time_and_keeps_nobody_waiting(world: World):
    silent = world.client()
    half = world.client(b"GET /met")
    assert world.ask(ASKED).endswith(PAGE)
    world.seconds += PATIENCE_SECONDS - 0.1
    world.server.serve(0)
    assert not select.select([silent, half], [], [], 0)[0]
    world.seconds += 0.1
    world.server.serve(0)
    assert (silent.recv(10), half.recv(10)) == (b"", b"")


def test_one_that_does_not_read_is_dropped_and_others_are_answered_meanwhile():
    world = World(b"x" * (32 << 20))
    try:
        world.client(ASKED)
        for _ in range(20):
            world.server.serve(0)
        world.page = PAGE
        assert world.ask(ASKED).endswith(PAGE)
        assert len(world.server._clients) == 2
        world.seconds += PATIENCE_SECONDS
        world.server.serve(0)
        assert len(world.server._clients) == 0
    finally:
        world.close()


def test_a_large_page_comes_whole_to_who_reads_slowly():
    world = World(b"#" * (8 << 20))
    try:
        assert world.ask(ASKED).count(b"#") == 8 << 20
    finally:
        world.close()


def test_too_many_clients_push_out_the_oldest_not_the_next(world: World):
    silent = [world.client() for _ in range(CLIENTS_MOST + 5)]
    assert len(world.server._clients) == CLIENTS_MOST
    assert silent[0].recv(10) == b""
    assert world.ask(ASKED).endswith(PAGE)
    assert not select.select([silent[-1]], [], [], 0)[0]


def test_one_that_goes_away_with_a_reset_is_no_trouble(world: World):
    for first in (b"", b"GET ", ASKED):
        one = world.client(first)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        one.close()
        world.server.serve(10)
    assert world.ask(ASKED).endswith(PAGE)


def test_one_that_sends_on_and_on_after_its_answer_is_dropped(world: World, monkeypatch):
    monkeypatch.setattr(serve, "DISCARDED_MOST", 10_000)
    one = world.client(ASKED)
    sent = 0
    while world.server._clients and sent < 1_000_000:
        one.sendall(b"x" * 1000)
        sent += 1000
        world.server.serve(0.1)
    assert sent < 1_000_000


def test_a_wait_ends_when_it_is_woken_and_no_longer_than_it_may(world: World):
    assert world.server.serve(0.01) is False
    os.write(world.wake, b"x")
    assert world.server.serve(60) is True


def test_files_above_those_that_select_knows_are_served(world: World):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 1100:
        pytest.skip("this machine allows too few files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1050)]
    try:
        one = world.client()
        assert max(world.server._clients) >= 1024
        one.sendall(ASKED)
        world.server.serve(10)
        assert one.recv(1 << 16).endswith(PAGE)
    finally:
        for file in held:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_where_no_file_is_left_a_client_waits_and_does_not_wake_it_without_end(world: World):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as one:
        one.settimeout(10)
        one.connect(world.server.address)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
        try:
            world.server.serve(10)
            assert world.server._poll.poll(0) == []
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        world.seconds += serve.DEAF_SECONDS
        one.sendall(ASKED)
        world.server.serve(10)
        assert world.answer(one).endswith(PAGE)


def test_where_nothing_can_listen_it_says_what_to_change(world: World):
    with pytest.raises(Refused, match="--listen"):
        listening(world.server.address)

"""`paramon agent`: all processes of the node, for who operates it, as metrics that Prometheus asks for."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

from paramon.agent.days import COMMAND, forget_before, today
from paramon.agent.job_metrics import job_families, process_families
from paramon.agent.node_metrics import node_families
from paramon.agent.openmetrics import page
from paramon.agent.own_metrics import Own, own_families
from paramon.agent.serve import Server, listening
from paramon.agent.view import View
from paramon.agent.whose import Owners, kernel_threads, unreadable
from paramon.beat import Beat
from paramon.begin import Wish, exits_here, header_of, spool_of
from paramon.errors import Refused
from paramon.machine import sensors_here
from paramon.record import PROCESS_IO, Recorder, safely
from paramon.spool import PRIVATE, Spool
from paramon.table import Belongs, Table, allow_many_files

OF_A_JOB = "cgroup"
"""A sensor of the job that the collector is in: the agent is in none."""
FIRST = frozenset({0, 1})
"""Parents of what has no other; 0 is that of the first process, and in a container of what came from outside."""
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Wanted(NamedTuple):
    """`folder`: of profiles of all that the node does, one a day; empty for none. `days`: so many are kept. `period`:
    seconds from one look to the next; `budget`: of a core."""

    listen: str
    folder: str = ""
    period: float = 1.0
    budget: float = 0.005
    node: str = ""
    per_process: bool = False
    days: int = 7


def agent(wanted: Wanted) -> int:
    """Until it is told to end. Refused where it can neither listen nor write."""
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for one in ENDINGS:
        signal.signal(one, lambda *_: None)
    allow_many_files()
    listener = listening(address_in(wanted.listen))
    node = Node(wanted)
    server = Server(listener, node.page, woken)
    node.answers = server.answers
    host, port = server.address
    sys.stderr.write(f"paramon: metrics at http://{f'[{host}]' if ':' in host else host}:{port}/metrics\n")
    is_well, is_told = True, False
    while is_well and not is_told:
        is_well = safely(node.look_if_due)
        is_told = server.serve(node.wait_seconds())
        node.served()
    server.close()
    safely(node.close)
    return 0 if is_well else 1


class Node:
    """What is looked at, and the page that tells of it: made at most once a look, however often it is asked for.
    What is used between `look_if_due` and `served` is the answers'. Refused where no profile can be written."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._serving_seconds = self._looked_at = self._looked_spent = 0.0
        self._page, self._page_of = b"", -1
        self.answers: Mapping[int, int] = {}
        """By status."""
        sensors, self._unavailable = sensors_here()
        exits = exits_here(self._unavailable)
        self._unavailable.pop(OF_A_JOB, None)
        self._unavailable.update(unreadable())
        self._spool, self._day = self._opened(), today()
        self._view = View(Owners().of, self._spool, unavailable=self._unavailable)
        self._table = Table(Belongs(frozenset({1}), FIRST, (b"", b""), kernel_threads()), ends=exits)
        # Answers are none of the budget's: who asks often must not make it blind.
        self._beat = Beat(wanted.period, wanted.budget, spent=lambda: time.process_time() - self._serving_seconds)
        kept = [sensor for sensor in sensors if sensor.name != OF_A_JOB]
        self._recorder = Recorder(self._view, self._table, self._beat, kept)

    def look_if_due(self) -> None:
        before = self._beat.ticks
        self._recorder.tick_if_due()
        if self._beat.ticks != before:
            self._looked_at = time.time()
        if self._spool is not None and today() != self._day:
            self._turn_over()
        self._looked_spent = time.process_time()

    def served(self) -> None:
        self._serving_seconds += time.process_time() - self._looked_spent

    def wait_seconds(self) -> float:
        return self._recorder.wait_seconds()

    def page(self) -> bytes:
        if self._page_of != self._beat.ticks:
            self._page, self._page_of = self._made(), self._beat.ticks
        return self._page

    def close(self) -> None:
        self._recorder.close({}, lambda: 0)

    def _made(self) -> bytes:
        view, is_any_closed = self._view, PROCESS_IO in self._unavailable
        families = own_families(self._own()) + node_families(view.points)
        families += job_families(view.groups, view.jobs, view.counted, is_any_closed=is_any_closed)
        if self._wanted.per_process:
            families += process_families(view.groups, is_any_closed=is_any_closed)
        return page(families)

    def _own(self) -> Own:
        beat, spool = self._beat, self._spool
        return Own(
            cpu_seconds=time.process_time(),
            serving_seconds=self._serving_seconds,
            looked_at=self._looked_at,
            ticks=beat.ticks,
            missed=beat.missed,
            slowed=beat.slowed,
            denied=self._table.denied,
            processes=len(self._table),
            answers=self.answers,
            failed=self._recorder.failed,
            unavailable=self._unavailable,
            given_up=spool.given_up if spool else 0,
        )

    def _turn_over(self) -> None:
        """To a new day's file; where none can be begun, the old one goes on."""
        try:
            self._spool = self._opened()
        except Refused:
            return
        self._day = today()
        if self._spool is not None:
            self._view.go_on_in(self._spool)

    def _opened(self) -> Spool | None:
        wanted = self._wanted
        if not wanted.folder:
            return None
        wish = Wish(wanted.folder, wanted.period, wanted.budget, node=wanted.node)
        node, started = wanted.node or socket.gethostname(), int(time.time() * 1000)
        header = header_of(wish, node, COMMAND, started, self._unavailable)
        header["attached"] = True
        spool = spool_of(wanted.folder, header, PRIVATE)
        forget_before(wanted.folder, node, wanted.days)
        return spool


def address_in(listen: str) -> tuple[str, int]:
    """`127.0.0.1:9101`, `[::1]:9101`; port 0 for any that is free. Refused for another form."""
    host, _, port = listen.rpartition(":")
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not host or not port.isdecimal() or int(port) > 65535:
        raise Refused(
            f"{listen!r} is no address: say --listen ADDRESS:PORT, such as 127.0.0.1:9101.",
            f"{listen!r} 不是有效地址：请用 --listen 地址:端口，例如 127.0.0.1:9101。",
        )
    return host, int(port)

"""Exit records: as the kernel writes them, and as this machine's kernel tells them, if it does."""

import os
import struct
import subprocess
import sys

import pytest

from paramon.sensors.exits import Exits
from paramon.sensors.sensor import Unavailable
from paramon.sensors.taskstats import KERNEL_TICK_US, Exit, exit_of

FORKED = 1


def written(version, *, pid=71, group=70, flags=0, scheduled_ns=0, user=0, system=0, more=b"", runs=3, queued_ns=0,
            lived_us=5000, waits=0):  # fmt: skip
    """struct taskstats of that version, by its fields from /usr/include/linux/taskstats.h in their order."""
    delay = struct.pack("=6Q", *([9] * 6)) if version == 15 else b""
    head = struct.pack("=HxxIBB6x", version, 0, flags, 5) + struct.pack("=6Q", runs, queued_ns, *range(4)) + delay
    body = struct.pack("=QQ", 1, scheduled_ns) + b"prog\xff".ljust(32, b"\0") + struct.pack("=B3x4x", 0)
    body += struct.pack("=IIIII4x", 1000, 1000, pid, 60, 1_700_000_000)
    body += struct.pack("=QQQ", lived_us, user, system) + struct.pack("=QQQQ", 1, 2, 3, 4)
    body += struct.pack("=QQ", 2048, 9999) + struct.pack("=4Q", 1, 2, 3, 4) + struct.pack("=3Q", 111, 222, 0)
    tail = struct.pack("=QQQQQ", waits, 77, 0, 0, 0) + struct.pack("=4Q", *range(4))  # switches, scaled; two delays
    if version == 15:
        tail += struct.pack("=4Q", *[9] * 4)
    tail += struct.pack("=Q", 1_700_000_000) + struct.pack("=QQ", 0, 0)
    if version == 15:
        tail += struct.pack("=QQ", 9, 9)
    tail += struct.pack("=I4xQQQ", group, 5000, 1, 2)
    return head + body + (tail if version >= 12 else tail[: -32 - 24]) + more


@pytest.mark.parametrize(("version", "process"), [(8, 71), (12, 70), (13, 70), (14, 70), (15, 70), (16, 70)])
def test_a_record_is_read_in_the_form_of_each_version(version, process):
    told = exit_of(written(version, scheduled_ns=4_000_000, user=3000, system=1000, more=b"\1" * 64), 71)
    assert told == Exit(71, process, 60, "prog\ufffd", 3000, 1000, 2048, 111, 222, 5000)


@pytest.mark.parametrize(
    ("scheduled_ns", "user", "system", "expected"),
    [
        (0, 8000, 4000, (8000, 4000)),  # a kernel that tells none
        (3_000_000, 0, 0, (3000, 0)),  # no tick met it
        (3_000_000, 0, 4000, (0, 3000)),
        (9_000_000, 8000, 4000, (6000, 3000)),
    ],
)
def test_the_schedulers_time_is_shared_out_as_ticks_met_it(scheduled_ns, user, system, expected):
    told = exit_of(written(16, scheduled_ns=scheduled_ns, user=user, system=system), 71)
    assert (told.user_us, told.system_us) == expected


MS = 1_000_000
TICK = KERNEL_TICK_US * 1000


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"scheduled_ns": 0, "user": 8000, "runs": 0}, 8000),
        ({"scheduled_ns": 0, "lived_us": 700, "queued_ns": MS // 2}, 200),  # it ended before it was reckoned with
        ({"scheduled_ns": MS // 2, "lived_us": 2000}, min(2000, 500 + KERNEL_TICK_US)),
        ({"scheduled_ns": MS // 2, "lived_us": 2000, "queued_ns": MS}, 1000),
        ({"scheduled_ns": MS // 2, "lived_us": 2000, "queued_ns": 9 * MS}, 500),  # what was queued for is no run
        ({"scheduled_ns": MS // 2, "lived_us": 2000, "runs": 0}, 500),  # nobody knows how long it was in the queue
        ({"scheduled_ns": 9 * TICK, "lived_us": 10**6}, 10 * KERNEL_TICK_US),  # a tick reckons
        ({"scheduled_ns": 9 * TICK, "user": 900_000, "lived_us": 10**6}, 900_000),  # there are none, but it is counted
        ({"scheduled_ns": 8 * TICK, "lived_us": 10**6, "waits": 2}, 8 * KERNEL_TICK_US + KERNEL_TICK_US // 2),
        ({"scheduled_ns": TICK // 2, "lived_us": 10**6, "waits": 1}, KERNEL_TICK_US * 7 // 8),
        ({"scheduled_ns": TICK // 2, "lived_us": KERNEL_TICK_US // 2 + 99, "waits": 1}, KERNEL_TICK_US // 2 + 99),
        ({"scheduled_ns": TICK, "lived_us": 10**6, "waits": 100_000}, KERNEL_TICK_US),
    ],
)
def test_the_nearest_to_its_cpu_time_is_told_by_its_life_or_by_what_it_ran_before_each_wait(told, expected):
    assert exit_of(written(16, **told), 71).cpu_us == expected


def test_before_threads_were_told_from_processes_what_executed_nothing_is_left_out():
    assert exit_of(written(8, flags=FORKED), 71) is None
    assert exit_of(written(12, flags=FORKED), 71) is not None


@pytest.mark.parametrize("told", [written(16)[:200], written(16, pid=72)])
def test_a_form_that_is_not_known_tells_nothing(told):
    assert exit_of(told, 71) is None


@pytest.fixture
def exits():
    try:
        listener = Exits()
    except Unavailable as why:
        pytest.skip(why.en)
    yield listener
    listener.close()


def test_this_machine_tells_of_each_that_ended(exits):
    script = "import threading, os; t = threading.Thread(target=os.getpid); t.start(); t.join()"
    with subprocess.Popen([sys.executable, "-S", "-c", script]) as process:
        process.wait(60)
    told = [one for one in exits.drain() if one.process == process.pid]
    assert len(told) == 2
    (last,) = [one for one in told if one.thread == process.pid]
    assert (last.parent, last.name) == (os.getpid(), os.path.basename(sys.executable)[:15])
    assert last.user_us + last.system_us > 1000
    assert last.peak_rss_kib > 1024


@pytest.mark.parametrize("loops", [0, 4_000, 30_000])
def test_what_many_that_never_wait_have_used_is_known_but_for_their_last_moments(exits, loops):
    """They live for less than one of the kernel's ticks, and for some."""
    argv = ["/bin/sh", "-c", f"i=0; while [ $i -lt {loops} ]; do i=$((i+1)); done"]
    used_us, pids = 0, set()
    for _ in range(100):
        pid = os.posix_spawn(argv[0], argv, os.environ)
        _, _, used = os.wait4(pid, 0)
        used_us += int((used.ru_utime + used.ru_stime) * 1e6)
        pids.add(pid)
    told_us = sum(one.cpu_us for one in exits.drain() if one.process in pids)
    assert (0.9 if loops else 0.7) < told_us / used_us < 1.05


def test_who_may_not_listen_is_told_which_right_is_missing():
    """In a process of its own, without any right."""
    script = (
        "import os\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "from paramon.sensors.exits import Exits\n"
        "from paramon.sensors.sensor import Unavailable\n"
        "try: Exits()\n"
        "except Unavailable as why: print(why.en); print(why.zh)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"}
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, encoding="utf-8")
    en, zh = done.stdout.splitlines()
    assert ("CAP_NET_ADMIN" in en and "CAP_NET_ADMIN" in zh) or "exit records" in en

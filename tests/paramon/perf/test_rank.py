"""Samples of a real process: none is read twice, those without room are counted, and together they are its CPU time."""

import ctypes.util
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.paramon.sensors import trees

from paramon.owner import NO_RANK
from paramon.perf.call import (
    CPU_CLOCK,
    DISABLED,
    EXCLUDE_KERNEL,
    SOFTWARE,
    Event,
    Sampling,
    Scope,
    attributes,
    open_event,
    paranoid,
)
from paramon.perf.mpi import Mpi
from paramon.perf.pace import (
    CORES,
    FASTEST,
    PAGE,
    PAGES,
    RANKS_A_TICK,
    SAMPLE_BYTES,
    SAMPLES_MOST,
    STACK_BYTES,
    How,
    pace,
)
from paramon.perf.rank import INSTRUCTION_POINTER, SLEEP_PATIENCE, Rank
from paramon.perf.ring import Ring
from paramon.perf.sleep import LOOKS, Sleep, ran_ns
from paramon.perf.text import Text
from paramon.sample.profile import Process

level = paranoid()
pytestmark = pytest.mark.skipif(
    level is None or (level > 2 and os.getuid() != 0) or os.uname().machine not in INSTRUCTION_POINTER,
    reason="no samples for us here",
)
BURN = "import time\nprint(flush=True)\nwhile time.process_time() < {}: pass\nprint(flush=True)\ninput()"
REGISTER = INSTRUCTION_POINTER.get(os.uname().machine, 0)


def burning(seconds: float) -> subprocess.Popen[str]:
    """It has begun; it ends when it is told to, so that its end is not missed."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-S", "-c", BURN.format(seconds)], stdin=pipe, stdout=pipe, text=True)
    process.stdout.readline()
    return process


def done(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)


def ring(pid: int, period_ns: int, pages: int) -> Ring:
    sampling = Sampling(period_ns, REGISTER, STACK_BYTES)
    return Ring(Event(SOFTWARE, CPU_CLOCK), sampling, Scope(pid), flags=DISABLED | EXCLUDE_KERNEL, pages=pages)


def test_a_ring_that_nobody_reads_counts_what_it_lost_and_goes_on():
    """A kernel to which samples are dear at a busy time takes fewer: it burns for long enough to lose some."""
    process = burning(3.0)
    one = ring(process.pid, 1_000_000, 1)
    while ran_ns(process.pid, process.pid) < 2e9:
        time.sleep(0.05)
    data, samples = one.drain()
    assert len(samples) == PAGE // SAMPLE_BYTES
    assert {struct.unpack_from("=Q", data, at + 16)[0] for at in samples} == {STACK_BYTES}
    assert one.take_lost() == 0  # it is written behind what has room again
    process.stdout.readline()
    assert len(one.drain()[1]) in {PAGE // SAMPLE_BYTES, PAGE // SAMPLE_BYTES - 1}
    assert one.take_lost() > 100
    assert one.drain() == (b"", [])
    one.close()
    done(process)


def test_a_ring_is_read_around_its_end():
    process = burning(1.0)
    one = ring(process.pid, 2_000_000, 1)
    found = 0
    while process.poll() is None and found < 3 * PAGE // SAMPLE_BYTES and ran_ns(process.pid, process.pid) < 0.9e9:
        data, samples = one.drain()
        found += len(samples)
        for at in samples:
            abi, address, held = struct.unpack_from("=QQQ", data, at)
            assert (abi, held) == (2, STACK_BYTES)
            assert at + SAMPLE_BYTES - 8 <= len(data)
            assert 0 < address < 1 << 63
        time.sleep(0.005)
    one.close()
    done(process)
    assert found > 2 * PAGE // SAMPLE_BYTES


def test_samples_and_what_no_sample_saw_are_its_cpu_time():
    process = burning(1.0)
    text = Text(process.pid)
    text.reload()
    rank = Rank(process.pid, text, How(5_000_000, is_user_only=level is not None and os.getuid() != 0, threads_most=4))
    before = ran_ns(process.pid, process.pid)
    process.stdout.readline()
    rank.drain()
    ran = (ran_ns(process.pid, process.pid) - before) / 1000
    assert rank.spent[0] == pytest.approx(ran, abs=0.15e6)
    assert rank.spent[1:] == [0, 0, 0, 0, 0]
    assert rank.threads == 1
    rank.close()
    done(process)


def test_sleep_outside_of_mpi_is_not_mpis():
    process = burning(0.0)
    process.stdout.readline()
    text = Text(process.pid)
    text.reload()
    rank = Rank(process.pid, text, How(5_000_000, is_user_only=False, threads_most=4))
    time.sleep(0.3)
    rank.drain()
    assert rank.slept[0] == 0
    assert rank.slept[1] > 100_000
    rank.close()
    done(process)


def test_sleep_that_nobody_has_seen_is_nobodys():
    pipe, script = subprocess.PIPE, "print(flush=True)\ninput()\nprint(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdin=pipe, stdout=pipe, text=True) as process:
        process.stdout.readline()
        text = Text(process.pid)
        text.reload()
        rank = Rank(process.pid, text, How(5_000_000, is_user_only=False, threads_most=4))
        time.sleep(0.3)
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        rank.drain()
        rank.close()
        process.kill()
    assert rank.slept[:2] == [0, 0]
    assert rank.slept[2] > 100_000


def test_what_it_slept_long_before_it_was_first_seen_asleep_is_nobodys():
    process = burning(2.0)
    text = Text(process.pid)
    text.reload()
    rank = Rank(process.pid, text, How(5_000_000, is_user_only=False, threads_most=4))
    rank._pending_ns = 10**9  # as if it had slept as it began
    for _ in range(SLEEP_PATIENCE + 1):
        assert rank.slept[2] == 0
        rank.drain()
    assert rank.slept[2] >= 10**6
    rank.close()
    done(process)


def scheduled(root, pid: int, ran_ns: int, waited_ns: int) -> None:
    trees.put(root, f"{pid}/task/{pid}/schedstat", f"{ran_ns} {waited_ns} 1")


def test_who_waits_for_a_cpu_does_not_sleep_though_the_wait_is_counted_when_it_is_over(tmp_path):
    scheduled(tmp_path, 7, 0, 0)
    sleep = Sleep(7, Text(7, str(tmp_path)), str(tmp_path))
    slept = 0
    for look in range(3 * LOOKS):
        time.sleep(0.01)
        if look % LOOKS == 0:
            scheduled(tmp_path, 7, 0, 1 << 40)
        slept += sleep.look(0, is_certain=False)[1]
        scheduled(tmp_path, 7, 0, 0)
    assert slept == 0
    time.sleep(0.01)
    assert sleep.look(0, is_certain=True)[1] > 0, "unless it is seen asleep or on a CPU"
    sleep.close()


def test_who_has_a_cpu_is_seen_to_and_who_sleeps_is_not():
    process = burning(0.5)
    one = ring(process.pid, 100_000_000, 1)
    while not one.is_counting():
        assert ran_ns(process.pid, process.pid) < 0.5e9
    process.stdout.readline()
    while Path(f"/proc/{process.pid}/syscall").read_text().startswith("running"):
        pass
    assert not any(one.is_counting() for _ in range(100))
    one.close()
    done(process)


def test_what_a_hypervisor_took_from_a_thread_is_no_sleep(tmp_path):
    scheduled(tmp_path, 7, 0, 0)
    sleep = Sleep(7, Text(7, str(tmp_path)), str(tmp_path))
    time.sleep(0.05)
    assert sleep.look(1 << 40, is_certain=True) == (1 << 40, 0), "the scheduler knows of none of it"
    sleep.close()


def test_code_that_comes_later_is_known_when_it_runs(tmp_path):
    trees.put(tmp_path, "7/maps", "")
    text = Text(7, str(tmp_path))
    text.reload()
    process = burning(1.0)
    rank = Rank(process.pid, text, How(5_000_000, is_user_only=False, threads_most=4))
    while not rank.spent[2]:
        rank.drain()
    rank.drain()  # it is not asked at each
    trees.put(tmp_path, "7/maps", "1000-7fffffffffff r-xp 00000000 00:00 0 /usr/lib/libmpi.so.40")
    process.stdout.readline()
    rank.drain()
    assert rank.spent[1] > 0
    rank.close()
    done(process)


def test_what_is_opened_is_closed():
    files = set(os.listdir("/proc/self/fd"))
    os.close(open_event(attributes(Event(SOFTWARE, CPU_CLOCK), EXCLUDE_KERNEL), Scope(0)))
    process = burning(0.0)
    text = Text(process.pid)
    text.reload()
    Rank(process.pid, text, How(5_000_000, is_user_only=True, threads_most=4)).close()
    Mpi(1.0).close()
    done(process)
    process.stdin.close()
    process.stdout.close()
    assert set(os.listdir("/proc/self/fd")) == files


RANK_WITH_A_THREAD = """
import ctypes, threading, time
ctypes.CDLL("libmpi.so.40")
def burn():
    while time.process_time() < 3: pass
threading.Thread(target=burn).start()
print(flush=True)
burn()
"""


@pytest.mark.skipif(not ctypes.util.find_library("mpi"), reason="no Open MPI here (openmpi-bin)")
def test_a_rank_that_was_seen_before_its_program_began_is_followed_with_its_threads():
    argv = [sys.executable, "-S", "-c", RANK_WITH_A_THREAD]
    environment = {**os.environ, "OMPI_COMM_WORLD_RANK": "3"}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        mpi, found = Mpi(0.1), {}
        mpi.came([Process(1, process.pid, 0, 1, "mpirun", "mpirun", NO_RANK)])
        while process.poll() is None:
            found.update(mpi.read())
            time.sleep(0.1)
        mpi.close()
    assert {name.rpartition(".")[0] for name in found} == {"mpi.3"}
    assert found["mpi.3.application_us"] > 300_000
    assert found["mpi.3.others_application_us"] > 300_000
    assert found["mpi.3.application_us"] + found["mpi.3.others_application_us"] < 3_300_000
    assert "mpi.3.mpi_us" not in found


@pytest.mark.parametrize("ranks", [1, 2, 16, 128, 1024])
@pytest.mark.parametrize("period", [0.1, 1.0, 60.0])
def test_no_more_is_sampled_than_all_may_cost_and_than_there_is_room_for(ranks, period):
    rate = pace(ranks, threads=ranks, period=period)
    turns = -(-ranks // RANKS_A_TICK)
    assert 0 < rate <= FASTEST
    assert rate * min(ranks, CORES) <= SAMPLES_MOST
    assert rate * min(CORES / ranks, 1) * period * turns * SAMPLE_BYTES < PAGES * PAGE, "with its share of the cores"

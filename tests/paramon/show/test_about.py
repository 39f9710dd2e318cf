"""What a page says of its profile: what it cost, how it ended, what is missing or damaged."""

import os

import pytest
from tests.paramon.made import Made
from tests.paramon.show.pages import a_job, shown

from paramon.machine import MAKERS
from paramon.perf.adopted import OfAll
from paramon.perf.job import SLEEP
from paramon.perf.mpi import Mpi
from paramon.record import PROCESS_IO
from paramon.show.lacks import LACKS


@pytest.mark.parametrize(("seconds", "cost"), [(9, "0.09 s of CPU ·"), (10, "0.09 s of CPU (0.90 % of a core) ·")])
def test_of_a_short_run_the_start_is_not_told_as_a_rate(tmp_path, seconds, cost):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0)
    made.tick(seconds * 1000)
    made.close(cpu_us=90_000)
    assert f"it took {cost}" in " ".join(shown(tmp_path).split())


@pytest.mark.parametrize(("ticks", "is_told"), [(99, False), (100, True)])
def test_of_less_than_a_second_no_part_is_told(tmp_path, ticks, is_told):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0)
    made.tick(1000, {1: {"user_ticks": ticks - 3}})
    made.close(cpu_ticks_total=ticks, completeness=0.97)
    assert ("% of the job's CPU time" in shown(tmp_path)) == is_told
    assert ("too little CPU time" in shown(tmp_path)) != is_told
    assert ("CPU 时间太少" in shown(tmp_path, is_chinese=True)) != is_told


def test_more_than_the_total_is_said_as_it_is_in_words_that_fit(tmp_path):
    a_job(tmp_path).close(cpu_ticks_total=200, completeness=1.2)
    assert "the processes that it saw used 120.0 % of the job's total: some are not in that" in shown(tmp_path)
    assert "已知进程的 CPU 时间为作业总计的 120.0 %" in shown(tmp_path, is_chinese=True)


def test_how_many_times_a_total_that_has_hardly_anything_is_not_told(tmp_path):
    """A launcher that is killed waits for none of its ranks."""
    a_job(tmp_path).close(cpu_ticks_total=9, completeness=8495.444)
    text = shown(tmp_path)
    assert "the job's total has only a small part of what the processes used that it saw" in " ".join(text.split())
    assert "849544" not in text
    assert "作业总计只含已知进程 CPU 时间的一小部分" in shown(tmp_path, is_chinese=True)


def test_what_cannot_be_had_is_said_in_words_with_its_reason(tmp_path):
    missing = {name: ["not allowed: ask", "没有权限"] for name in ("process_io", "dram")}
    a_job(tmp_path, unavailable=missing).close(denied_processes=4, failed_reads={"nfs": 2})
    text = shown(tmp_path)
    assert "not to be had: I/O of all processes, dram: not allowed: ask" in text
    assert "4 processes must not be looked at" in text
    assert "readings that failed: nfs 2" in text
    assert "无法采集：全部进程的读写、dram：没有权限" in shown(tmp_path, is_chinese=True)


def test_what_is_not_there_is_said_in_a_line_without_reasons(tmp_path):
    missing = {
        "energy": ["/sys/class/powercap: no RAPL meter on this machine", "/sys/class/powercap：本机没有 RAPL 能耗计"],
        "frequency": ["neither cpufreq nor /proc/cpuinfo tells a frequency", "均未提供频率"],
        "gpu": ["no NVIDIA driver on this machine", "本机没有 NVIDIA 驱动"],
        "exits": ["exit records need the capability CAP_NET_ADMIN", "进程退出记录需要 CAP_NET_ADMIN 权限"],
    }
    a_job(tmp_path, unavailable=missing).close()
    en, zh = shown(tmp_path).splitlines()[-2:], shown(tmp_path, is_chinese=True).splitlines()[-2:]
    assert [line.strip() for line in en] == [
        "not on this machine: energy meter (RAPL), clock rates, GPU",
        "not to be had: short-lived processes by program: exit records need the capability CAP_NET_ADMIN",
    ]
    assert [line.strip() for line in zh] == [
        "本机没有：能耗计（RAPL）、主频、GPU",
        "无法采集：短时进程明细：进程退出记录需要 CAP_NET_ADMIN 权限",
    ]


def test_whatever_may_be_missing_has_words(tmp_path):
    names = [*(name for name, _ in MAKERS), "counter", OfAll.name, Mpi.name, SLEEP, "exits", PROCESS_IO, "other_nodes"]
    assert set(names) == set(LACKS)


def test_how_it_ended_is_said(tmp_path):
    a_job(tmp_path / "killed").close(signal=9)
    assert "ended by signal 9" in shown(tmp_path / "killed")
    a_job(tmp_path / "failed").close(exit_code=3)
    assert "exit code 3" in shown(tmp_path / "failed")
    a_job(tmp_path / "watched").close(exit_code="unknown", signal="unknown")
    assert "2.00 s · ended\n" in shown(tmp_path / "watched")
    made = a_job(tmp_path / "attached", attached=True)
    for path in (made.path, made.path + ".live"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    assert "2.00 s · ended with its job, or cut off: no end was written\n" in shown(tmp_path / "attached")
    assert "随作业结束或采集中断：没有结束记录" in shown(tmp_path / "attached", is_chinese=True)
    made = a_job(tmp_path / "open")
    assert "still running" in shown(tmp_path / "open")
    assert "is known at the end" in shown(tmp_path / "open")
    for path in (made.path, made.path + ".live"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    assert "2.00 s · cut off: no end was written\n" in shown(tmp_path / "open")
    assert "how much of all CPU time it saw, is not known" in shown(tmp_path / "open")


def test_damaged_bytes_are_counted_and_the_rest_is_shown(tmp_path):
    made = a_job(tmp_path)
    made.minute()
    before = os.path.getsize(made.path)
    made.tick(3000, {2: {"user_ticks": 200}})
    made.minute()
    made.tick(4000, {2: {"user_ticks": 300}})
    path = made.close()
    with open(path, "r+b") as file:
        file.seek(before + 20)
        file.write(b"\0\0\0\0")
    text = shown(path)
    assert "DAMAGED: " in text
    assert "it looked 4 times" in text

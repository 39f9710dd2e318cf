"""`paramon show`: the page says what was measured, in both languages; what is damaged or missing is said, too."""

import json
import os
import subprocess
import sys

import pytest
from tests.paramon.made import STARTED_MS, Made, now_ms
from tests.paramon.show.pages import ROOT, a_job, paramon, shown

from paramon.text import amount, bar, clean, count, cut, duration, right, spark, width


def test_the_page_says_what_was_measured(tmp_path):
    a_job(tmp_path).close(cpu_ticks_total=300, completeness=0.8, missed_ticks=3, slowed_ticks=2)
    text = shown(tmp_path)
    for part in (
        "mpirun ./a.out", "1 node: n1 · 4 cores · job 42", "exit code 0",
        "3.00 s used, 38 % of its cores' 8.00 s",
        "1.50 of 4 cores", "peak 3.0 GiB after 2.00 s", "10.0 KiB in 10 calls (1.0 KiB each)",
        "CPU balance of 2 ranks (mean ÷ most): 0.67", "1002 r0 a.out", "user 30 % · system 0 % · idle 70 %",
        "8.0 GiB, 50 % taken at the fullest", "eth0 receive 5.0 MiB (2.5 MiB/s)", "cpu 3 % (3 % … 9 %)",
        "it looked 3 times", "3 looks missed", "2 left out to stay cheap",
        "the processes that it saw used 80.0 % of the job's CPU time",
    ):  # fmt: skip
        assert part in text


def test_ranks_have_their_share_of_mpi_and_their_balance_and_counters_their_rates(tmp_path):
    made = a_job(tmp_path, started_ms=STARTED_MS)
    made.tick(10_000, mpi__0__application_us=8_000_000, mpi__0__mpi_us=2_000_000, mpi__1__application_us=4_000_000,
              mpi__1__mpi_us=6_000_000, mpi__0__samples=900, counter__cycles=0, counter__instructions=0)  # fmt: skip
    made.tick(20_000, counter__cycles=4_000_000_000, counter__instructions=6_000_000_000)
    made.close(wall_ms=10_000)
    text = shown(tmp_path)
    first, second = (line.split() for line in text.splitlines() if line.startswith(("0  ", "1  ")))
    assert (first[:4], second[:4]) == (["0", "n1", "20", "%"], ["1", "n1", "60", "%"])
    for part in ("load balance 0.75 (useful time, mean ÷ most)", "40 % of the ranks' time in MPI",
                 "parallel efficiency 0.60 = load balance × communication 0.80",
                 "1.50 instructions a cycle"):  # fmt: skip
        assert part in text
    assert "CPU balance" not in text
    assert "mpi  " not in text, "its series are not told twice"
    chinese = shown(tmp_path, is_chinese=True)
    assert "负载均衡 0.75" in chinese
    assert "IPC 1.50" in chinese
    told = json.loads(paramon("show", tmp_path, "--json").stdout)
    assert (told["mpi"]["shares"], told["mpi"]["load"]) == ({"0": 0.2, "1": 0.6}, 0.75)
    assert told["hardware"]["instructions_a_cycle"] == 1.5


@pytest.mark.parametrize(("ticks", "is_told"), [(99, False), (100, True)])
def test_ranks_that_used_next_to_nothing_have_no_balance(tmp_path, ticks, is_told):
    made = Made(tmp_path)
    for rank in range(2):
        made.comes(2 + rank, rank=rank)
    made.tick(0)
    made.tick(1000, {2: {"user_ticks": ticks}})
    made.close()
    assert ("CPU balance of 2 ranks" in shown(tmp_path)) == is_told


def test_it_is_in_chinese_for_who_reads_chinese(tmp_path):
    a_job(tmp_path).close(cpu_ticks_total=300)
    assert "已用 3.00 s，占可用核时 8.00 s 的 38 %" in shown(tmp_path, is_chinese=True)
    assert "已用" in paramon("show", tmp_path, LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1").stdout
    assert "已用" in paramon("show", tmp_path, "--language", "zh").stdout
    assert "of its cores'" in paramon("show", tmp_path, "--language", "en", LC_ALL="zh_CN.UTF-8").stdout


@pytest.mark.parametrize("is_chinese", [False, True])
def test_no_line_is_wider_than_the_page(tmp_path, is_chinese):
    a_job(tmp_path, command=["计算"] * 99).close()
    for columns in (60, 80, 133):
        assert max(map(width, shown(tmp_path, is_chinese=is_chinese, columns=columns).splitlines())) <= columns


@pytest.mark.parametrize("nodes", [("cn01.cluster.example", "cn02.cluster.example"), ("10.0.0.1", "10.0.0.2")])
def test_tables_say_which_node_and_have_no_half_of_a_number(tmp_path, nodes):
    for rank, node in enumerate(nodes):
        made = Made(tmp_path, node=node)
        made.comes(1, rank=rank, pid=1234560 + rank, name="lmp_mpi_kokkos")
        made.tick(0, {1: {"rss_kib": 5 << 20, "read_chars": 3 << 40}})
        made.tick(1000)
        made.close()
    for start, name in (("1", "Rank"), ("1234561 r1 lmp_mpi_kokkos", "Process")):
        whole = table_row(shown(tmp_path, columns=200), name, start)
        assert nodes[1].replace(".cluster.example", "") in whole
        for columns in (60, 80):
            row = table_row(shown(tmp_path, columns=columns), name + " ", start)
            assert row == whole[: len(row)]


def table_row(text: str, head: str, start: str) -> list[str]:
    table = text[text.index("\n" + head) :].splitlines()
    return next(line for line in table if line.startswith(start + " ")).split()


def test_of_very_many_nodes_some_are_told_of_and_each_with_which_something_is_amiss(tmp_path):
    for at in range(20):
        made = Made(tmp_path, node=f"n{at:02}", started_ms=STARTED_MS + at)
        made.tick(0)
        made.close(denied_processes=int(at == 17), completeness=0.5 if at == 15 else 1.0, cpu_ticks_total=900)
    text = shown(tmp_path)
    assert "Node n07," in text
    assert "Node n08," not in text
    assert "12 more nodes: --json has all" in text
    told = text.split("About this profile")[1]
    assert [f"n{at:02}" for at in range(20) if f"n{at:02} " in told] == [
        *(f"n{at:02}" for at in range(8)),
        "n15",
        "n17",
    ]
    assert "10 more profiles with nothing amiss: --json has all" in told


def test_the_fullest_node_is_that_of_all_its_collectors(tmp_path):
    for at, node in enumerate(("n1", "n1", "n2")):
        made = Made(tmp_path, node=node, started_ms=STARTED_MS + at)
        made.comes(1)
        made.tick(0, {1: {"rss_kib": 1 << 20}})
        made.tick(1000)
        made.close()
        assert ("node" in shown(tmp_path).split("Memory")[1].split("I/O")[0]) == (node == "n2")
    assert "on the fullest node ≤ 2.0 GiB" in shown(tmp_path)
    assert "最多的节点 ≤ 2.0 GiB" in shown(tmp_path, is_chinese=True)


@pytest.mark.parametrize(("waited_ms", "known_ms", "told"), [
    (6_500, 200, "communication and waiting for a CPU 0.10: ranks waited for one 65 % of the time"),
    (6_500, 150, "communication and waiting for a CPU 0.10: ranks waited for one ≥ 65 % of the time"),
    (6_500, 50, "communication 0.10"),
    (500, 200, "communication 0.10"),
])  # fmt: skip
def test_on_a_node_that_is_too_full_what_ranks_waited_for_a_cpu_is_not_put_down_to_mpi(
    tmp_path, waited_ms, known_ms, told
):
    made = Made(tmp_path)
    waits = {"run_wait_us": waited_ms * 1000, "waits_known_us": known_ms * 1000, "user_ticks": 20}
    made.tick(0)
    for rank in (0, 1):
        made.comes(rank + 1, rank=rank)
    made.tick(10_000, {1: waits, 2: waits}, mpi__0__application_us=1_000_000, mpi__0__mpi_us=9_000_000,
              mpi__1__application_us=1_000_000, mpi__1__mpi_us=9_000_000)  # fmt: skip
    made.close()
    text = " ".join(shown(tmp_path).split())
    assert f"parallel efficiency 0.10 = load balance × {told}" in text
    assert ("ranks waited for one" in text) == ("waited" in told)
    zh = "".join(shown(tmp_path, is_chinese=True).split())
    assert ("并行效率0.10=负载均衡×通信与等CPU0.10：各进程" in zh) == ("waited" in told)


def test_processes_that_are_not_counted_are_told_beside_what_is_and_why(tmp_path):
    made = Made(tmp_path, unavailable={"counter_of_all": ["some are not counted: no room", "部分进程未计入：已满"]})
    for second in range(30):
        told = {"counter__uncounted": 2} if second > 3 else {}
        made.tick(second * 1000, counter__cycles=second * 10**9, counter__instructions=second * 2 * 10**9, **told)
    made.close()
    text = shown(tmp_path)
    assert "2.00 instructions a cycle · 2 processes not counted" in text
    assert "not to be had: hardware counters of all processes: some are not counted: no room" in text
    assert "2.00 instructions a cycle 2 processes not counted" in " ".join(
        paramon("top", "--once", tmp_path).stdout.split()
    )


def test_a_processs_name_does_not_speak_to_the_terminal(tmp_path):
    made = Made(tmp_path, command=["\x1b[2J"])
    made.comes(1, name="\x1b]0;x\x07")
    made.tick(0, {1: {"user_ticks": 5}})
    made.close()
    assert "\x1b" not in shown(tmp_path)
    assert "\x07" not in shown(tmp_path)


def test_json_carries_the_same_facts(tmp_path):
    a_job(tmp_path).close(cpu_ticks_total=300)
    told = json.loads(paramon("show", tmp_path, "--json").stdout)
    assert (told["cpu_ms"], told["cpu_ms_there"], told["memory_peak_kib"]) == (3000, 8000, 3 << 20)
    assert [one["rank"] for one in told["ranks"]] == [0, 1]
    assert told["nodes"][0]["series"]["net.eth0.receive_bytes"] == {"grown": 5 << 20, "a_second": 2621440.0}
    assert told["nodes"][0]["series"]["psi.cpu_percent"]["most"] == 9


def test_of_several_runs_in_a_folder_the_newest_is_shown_and_the_others_are_told_of(tmp_path):
    a_job(tmp_path, job="").close()
    Made(tmp_path, job="", started_ms=now_ms() + 3_600_000, command=["later"]).close()
    text = paramon("show", tmp_path, "--language", "en").stdout
    assert text.startswith("later\n")
    assert "Beside it: 1 profile of others" in text


def test_what_is_no_profile_is_refused(tmp_path):
    done = paramon("show", tmp_path)
    assert (done.returncode, "no profile" in done.stderr) == (2, True)
    (tmp_path / "x.paramon").write_text("nothing")
    assert "no profile" in paramon("show", tmp_path / "x.paramon").stderr
    for command in (("show",), ("export", "--csv")):
        done = paramon(*command, tmp_path / "none", LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
        assert done.returncode == 2
        assert "There is no profile at" in done.stderr
        assert "请给出文件" in done.stderr


def test_a_pipe_that_closes_is_the_end(tmp_path):
    path = a_job(tmp_path, unavailable={f"thing-{number}": ["x" * 99, "x"] for number in range(2000)}).close()
    argv = [sys.executable, "-m", "paramon", "show", path]
    known = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(argv, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "mpirun ./a.out\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_numbers_are_as_people_read_them():
    assert [amount(value) for value in (0, 999, 1024, 1 << 20, 150 << 30, 1 << 60)] == [
        "0 B", "999 B", "1.0 KiB", "1.0 MiB", "150 GiB", "1048576 TiB",
    ]  # fmt: skip
    assert [duration(value) for value in (0, 1250, 59_000, 61_000, 3_725_000, 90_061_000)] == [
        "0.00 s", "1.25 s", "59.0 s", "1:01 min", "1:02:05 h", "1 d 01:01:01",
    ]  # fmt: skip
    assert [count(value) for value in (0, 1234, 12_345_678, 5e9, 5e12)] == ["0", "1,234", "12.35 M", "5.00 G", "5.00 T"]
    assert spark([0, 1, 4, 8], 4) == " ▁▄█"
    assert spark([0.001, 8], 2)[0] == "▁"
    assert (bar(0.5, 4), bar(2, 3), bar(0, 2)) == ("██··", "███", "··")
    assert (cut("计算机", 5), right("计", 4), width("e\u0301")) == ("计算…", "  计", 1)
    assert clean("a\nb\x1b") == "a b�"

"""What every dialect must do, whatever its scheduler. A new dialect is added to DIALECTS and must pass as it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.dialects.records import Request
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Broken, ParacloudError, Refused, Unreachable, Unsupported

NONCE = "n0nce"
DIALECTS: tuple[Callable[[Callable[[], str]], Dialect], ...] = (SlurmDialect, GridEngineDialect, openpbs, torque)
TAG = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REQUEST = Request(
    tag=TAG,
    name="melt",
    script="#!/bin/bash\ntrue\n",
    work_directory="paracloud/one",
    queue="cpu",
    tasks=1,
    cores_per_task=1,
    wall_limit=timedelta(hours=1),
)
each_dialect = pytest.mark.parametrize("make", DIALECTS)


def commands(dialect: Dialect) -> list[Command]:
    return [
        dialect.submit({TAG: dialect.script(REQUEST)}),
        dialect.find([TAG], NOW),
        dialect.observe(["alice"]),
        dialect.cancel(["7"]),
        dialect.signal(["7"], "USR1"),
        dialect.hold("7"),
        dialect.release("7"),
        dialect.account(NOW, NOW + timedelta(hours=1), ["alice"]),
        dialect.account_of(["7"]),
        dialect.queues(),
        dialect.nodes(),
        dialect.ping(),
    ]


PARTS = st.sampled_from(
    [
        *(NONCE.encode(), b"|", b"\n", b" ", b".", b"\x00", b"\x1b[0m", b"\xff\xfe", b"7", b"7_3", b"7_[1-3]", b"N/A"),
        *(TAG.encode(), b"pc-" + TAG.encode(), b"id", b"refused", b"eHg=", b"unsure", b"alice", b"RUNNING", b"0:0"),
        *(b"1795466630", b"NodeName=n1 CPUTot=4 CPUAlloc=0 RealMemory=9 State=IDLE", b"Unknown", b"cpu=1,mem=2G"),
        *(b"PartitionName=a State=UP MaxTime=1-0 MaxNodes=1", b"SLURM_VERSION = 1", b"Gres=gpu:x", b"9" * 25),
        *(b"\n" + NONCE.encode(), b" end\n", b" logs\n", b"[" * 90, b"<!DOCTYPE x>", b"exec_host=n/0 "),
        *(b'{"timestamp":1,"Jobs":{"7":{"job_state":"R",', b'"Job_Owner":"a"}}}', b'"Queue":{"a":{}}'),
        *(b'{"pbs_version":"1","nodes":{"n":{"state":"free"}}}', b"11/23/2026 12:00:00;E;7.s;", b"Server: s\n"),
        *(b"user=alice queue=q start=1795466630 end=1795466640 Exit_status=0 ", b"Queue: q\n    queue_type = E\n"),
        *(b"<Data>", b"</Data>", b"<Job><Job_Id>7</Job_Id>", b"<job_state>C</job_state><Job_Owner>a</Job_Owner>"),
        *(b"</Job>", b"<Node><name>n</name><state>free</state><np>4</np></Node>"),
        *(
            b"\nn0nce\n<?xml version='1.0'?>",
            b"<job_info>",
            b"</job_info>",
            b"<queue_info>",
            b"</queue_info>",
            b"<!DOCTYPE a",
        ),
        *(
            b"<job_list>",
            b"</job_list>",
            b"<JB_job_number>7</JB_job_number>",
            b"<state>Eqw</state>",
            b"<tasks>1-3:1</tasks>",
        ),
        *(
            b"<JB_owner>alice</JB_owner>",
            b"<Queue-List>",
            b"</Queue-List>",
            b"<name>a@b</name>",
            b"<slots_total>8</slots_total>",
        ),
        *(
            b'<resource name="gpu" type="hc">9e9</resource>',
            b"n0nce n1 complex_values gpu=x,h_vmem=4Z",
            b"\nn0nce end\n",
        ),
        *(
            b"\nn0nce ran ",
            b"\nn0nce log ",
            b":" * 13,
            b"0:job_log:1:deleted:7:0:NONE::",
            b":pc-" + TAG.encode() + b":",
        ),
        *(b"denied: ", b"does not exist", b"4711.1-9:1", b"SGE 8.1.9"),
        *(b"DefMemPerCPU=1 MaxMemPerCPU=0", b"SelectType = x", b"DefMemPerCPU = 1", b"MaxMemPerNode = UNLIMITED"),
    ]
)
HOSTILE = st.one_of(st.binary(max_size=300), st.lists(PARTS, max_size=60).map(b"".join))


def reading_error(command: Command, completed: Completed) -> ParacloudError | None:
    try:
        command.parse(completed)
    except (Broken, Refused, Unreachable) as error:
        return error
    return None


@each_dialect
@given(out=HOSTILE, err=st.binary(max_size=80), status=st.integers(-9, 255), truncated=st.booleans())
def test_no_answer_of_a_hostile_centre_breaks_more_than_its_own_reading(make, out, err, status, truncated):
    for command in commands(make(lambda: NONCE)):
        error = reading_error(command, Completed(status, out, err, truncated=truncated))
        assert error is None or (error.en + error.zh).isprintable()


@each_dialect
def test_every_command_is_bounded_in_time_and_answer(make):
    for command in commands(make(lambda: NONCE)):
        assert timedelta(0) < command.timeout <= timedelta(minutes=5)
        assert command.limit_bytes > 0
        assert command.cost >= 1


@each_dialect
def test_a_dialect_says_the_same_for_the_same(make):
    first, second = (commands(make(lambda: NONCE)) for _ in range(2))
    assert [(one.argv, one.stdin) for one in first] == [(one.argv, one.stdin) for one in second]
    assert make(lambda: NONCE).script(REQUEST) == make(lambda: NONCE).script(REQUEST)


@each_dialect
def test_a_failed_command_is_never_an_empty_answer(make):
    for command in commands(make(lambda: NONCE)):
        try:
            answer = command.parse(Completed(127, b"", b"sh: not found"))
        except (Broken, Unreachable):
            continue
        assert [type(one) for one in answer.values()] == [Unreachable]


@each_dialect
def test_every_tag_of_a_batch_has_exactly_one_answer(make):
    dialect = make(lambda: NONCE)
    tags = [f"{number:032x}" for number in range(5)]
    command = dialect.submit({tag: dialect.script(replace(REQUEST, tag=tag)) for tag in tags})
    answers = command.parse(Completed(0, b"", b""))
    assert list(answers) == tags
    assert {type(answer) for answer in answers.values()} == {Unreachable}


@each_dialect
@pytest.mark.parametrize(
    "line",
    [
        "NONCE 99999999999999999999999999999999 id 7 .",
        "NONCE TAG id 7 .\nNONCE TAG id 8 .",
        "NONCE TAG id 7;8 .",
        "NONCE TAG id ٧ .",
        "NONCE TAG id 7 8 .",
        "NONCE TAG done 7777 .",
        "NONCE TAG refused *** .",
    ],
)
def test_an_answer_that_is_forged_or_not_understood_is_broken(make, line):
    dialect = make(lambda: NONCE)
    text = line.replace("NONCE", NONCE).replace("TAG", TAG) + "\n"
    with pytest.raises(Broken):
        dialect.submit({TAG: dialect.script(REQUEST)}).parse(Completed(0, text.encode(), b""))


@each_dialect
def test_a_line_without_this_calls_nonce_is_noise(make):
    dialect = make(lambda: NONCE)
    said = Completed(0, f"another {TAG} id 7 .\n".encode(), b"")
    (answer,) = dialect.submit({TAG: dialect.script(REQUEST)}).parse(said).values()
    assert isinstance(answer, Unreachable)


@each_dialect
def test_nothing_to_ask_costs_nothing(make):
    dialect = make(lambda: NONCE)
    for command in (dialect.observe([]), dialect.account(NOW, NOW, []), dialect.account_of([])):
        assert command.cost == 0
        assert list(command.parse(Completed(0, b"", b""))) == []


@each_dialect
def test_the_cost_of_a_batch_is_its_number_of_jobs(make):
    dialect = make(lambda: NONCE)
    batch = {f"{number:032x}": dialect.script(replace(REQUEST, tag=f"{number:032x}")) for number in range(7)}
    assert dialect.submit(batch).cost == 7
    again = [*batch][:2]
    look_ups = dialect.weigh(batch[again[0]], is_retry=True).own - 1
    assert dialect.submit(batch, again).cost == 7 + 2 * look_ups
    assert 1 + look_ups <= dialect.commands_least


@each_dialect
def test_what_cannot_be_expressed_is_refused_by_name(make):
    with pytest.raises(Unsupported) as caught:
        make(lambda: NONCE).script(replace(REQUEST, extra={"no-such-option": "1"}))
    assert caught.value.field == "no-such-option"

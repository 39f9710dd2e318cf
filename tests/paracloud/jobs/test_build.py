from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.jobs.array import read_array
from paracloud.jobs.build import build
from paracloud.jobs.quantities import memory_bytes, wall
from paracloud.jobs.spec import Dependency, InputFile
from paracloud.kit.errors import Invalid, Refused, TooLarge, Unsupported
from paracloud.kit.identifiers import BlobId, JobId

BLOB = BlobId("a" * 64)
GIB = 1 << 30


def spec(*directives: str, **options):
    text = "\n".join(["#!/bin/bash", "#SBATCH --time=10", *(f"#SBATCH {one}" for one in directives), "true", ""])
    return build(text, **options).spec


def field_of(attempt) -> str | None:
    try:
        attempt()
    except Refused as error:
        return error.field
    return "read"


def refused(*directives: str, **options) -> Refused:
    with pytest.raises(Refused) as caught:
        spec(*directives, **options)
    assert caught.value.en
    assert caught.value.zh
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30", timedelta(minutes=30)),
        ("90:30", timedelta(minutes=91)),
        ("1:30:00", timedelta(hours=1, minutes=30)),
        ("2-12", timedelta(days=2, hours=12)),
        ("1-00:30", timedelta(days=1, minutes=30)),
        ("1-02:03:00", timedelta(days=1, hours=2, minutes=3)),
        ("0:01", timedelta(minutes=1)),
    ],
)
def test_every_form_of_a_time_limit_is_read_and_a_started_minute_counts(text, expected):
    assert wall("time", text) == expected


@pytest.mark.parametrize(
    "text", ["0", "-5", "", "abc", "infinite", "UNLIMITED", "1e3", "999999999", "1:2:3:4", "1-", "３０"]
)
def test_no_limit_and_absurd_limits_are_refused(text):
    assert refused(f'--time="{text}"').field == "time"


def test_memory_is_mebibytes_without_a_letter():
    assert memory_bytes("mem", "512") == 512 << 20
    assert memory_bytes("mem", "4G") == 4 * GIB
    assert memory_bytes("mem", "2gb") == 2 * GIB
    for text in ("0", "-1", "1.5G", "4X", "9999T", ""):
        with pytest.raises(Invalid):
            memory_bytes("mem", text)


@given(st.integers(1, 366 * 86400))
def test_a_written_limit_reads_back_rounded_up_to_the_minute(seconds):
    days, rest = divmod(seconds, 86400)
    text = f"{days}-{rest // 3600}:{rest // 60 % 60}:{rest % 60}"
    read = wall("time", text)
    assert 0 <= read.total_seconds() - seconds < 60


@pytest.mark.parametrize(
    ("text", "tasks"), [("0-9", 10), ("5", 1), ("0-9,12,20-30:2%4", 17), ("0-9,5", 10), ("0-9999", 10_000)]
)
def test_an_array_is_counted(text, tasks):
    assert read_array(text).tasks == tasks


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "9-0", "0-9:0", "0-9%0", "0-9%", "1,,2", "0-4000001", "0-9;id"])
def test_a_wrong_array_is_refused(text):
    assert refused(f'--array="{text}"').field == "array"


@pytest.mark.parametrize("text", ["0-10000", "0-4000000", ",".join(["0-9999"] * 50)])
def test_an_array_of_too_many_tasks_is_refused_with_the_limit(text):
    with pytest.raises(TooLarge, match="10000"):
        read_array(text)


def test_the_command_line_wins_over_the_script():
    made = spec("-n 4 -J inside --gres=gpu:2", options={"ntasks": "8", "gpus-per-node": "1"})
    assert (made.tasks, made.name, made.gpus_per_node) == (8, "inside", 1)


def test_switches_from_the_api_may_be_true_or_false():
    assert spec(options={"hold": "true"}).hold
    assert not spec(options={"hold": "false"}).hold
    assert spec(options={"exclusive": ""}).exclusive


def test_requeue_is_off_unless_asked_for_and_the_last_word_counts():
    assert not spec().requeue
    assert spec("--requeue").requeue
    assert not spec("--requeue --no-requeue").requeue
    assert not spec("--requeue", options={"no-requeue": ""}).requeue


def test_nodes_and_tasks_per_node_give_the_tasks():
    assert spec("-N 2 --ntasks-per-node=4").tasks == 8
    assert spec("-N 3").tasks == 3
    assert spec("-N 2-2").nodes == 2
    assert refused("-N 2-4").field == "nodes"
    assert refused("-N 2 -n 9 --ntasks-per-node=4").field == "ntasks"


def test_more_nodes_than_tasks_are_reduced_and_said():
    built = build("#!/bin/sh\n#SBATCH -t 5 -N 4 -n 2\n")
    assert built.spec.nodes == 2
    assert built.notices[0].field == "nodes"


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("--gres=gpu:2", (2, None, None)),
        ("--gres=gpu", (1, None, None)),
        ("--gres=gpu:a100", (1, "a100", None)),
        ("--gres=gres/gpu:a100:2", (2, "a100", None)),
        ("-N 2 --gpus-per-node=v100:4", (4, "v100", 2)),
        ("-N 2 -G 8", (4, None, 2)),
        ("-G 3", (3, None, 1)),
        ("-n 4 --gpus-per-task=1", (4, None, 1)),
    ],
)
def test_every_way_to_ask_for_gpus_comes_to_gpus_per_node(directive, expected):
    made = spec(directive)
    assert (made.gpus_per_node, made.gpu_model, made.nodes) == expected


@pytest.mark.parametrize(
    ("directive", "field"),
    [
        ("-N 2 -G 3", "gpus"),
        ("--gres=nic:1", "gres"),
        ("--gres=gpu:0", "gres"),
        ("--gres=gpu:-1", "gres"),
        ("--gpus-per-node=a:b:1", "gpus-per-node"),
        ("-n 0", "ntasks"),
        ("-n -3", "ntasks"),
        ("-n 4k", "ntasks"),
        ("-n 999999999999999999999", "ntasks"),
        ("-c 0", "cpus-per-task"),
        ("-N 0", "nodes"),
        ("--mem=0", "mem"),
        ("--mem=1G --mem-per-cpu=1G", "mem"),
        ("--exclusive=user", "exclusive"),
        ("-p 'cpu;id'", "partition"),
        ("-d singleton", "dependency"),
        ("-d afterok:123", "dependency"),
        ("-o ../../x", "output"),
        ("-o /etc/passwd", "output"),
        ("-e a//b", "error"),
        ("--gpus-per-socket=1", "gpus-per-socket"),
    ],
)
def test_zero_negative_absurd_and_foreign_values_are_refused_by_name(directive, field):
    assert refused(directive).field == field


@pytest.mark.parametrize("name", ["a'b\"c", "$(reboot)", "a|b", "液体熔化", "a b", "é" * 200])
def test_a_harmless_name_is_kept_as_it_is(name):
    assert spec(options={"job-name": name}).name == name


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x1b[31m", "a\0", "x" * 201, "a\u202eb", "\ud800"])
def test_a_name_with_control_characters_is_refused(name):
    assert refused(options={"job-name": name}).field == "job-name"


def test_dependencies_name_jobs_of_the_platform():
    one, two = JobId(uuid4()), JobId(uuid4())
    made = spec(f"-d afterok:{one}:{two.hex},afterany:{one}")
    assert made.depends_on == (Dependency("afterok", one), Dependency("afterok", two), Dependency("afterany", one))


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", "a//b", "", ".", "a\nb", "a/", "x" * 300, "a/./b"])
def test_an_input_that_could_leave_the_work_directory_is_refused(path):
    assert refused(inputs=[InputFile(path, BLOB, 1)]).field == "inputs"


def test_two_inputs_cannot_stand_in_one_place():
    assert refused(inputs=[InputFile("a", BLOB, 1), InputFile("a", BLOB, 1)]).field == "inputs"
    assert refused(inputs=[InputFile("a", BLOB, 1), InputFile("a/b", BLOB, 1)]).field == "inputs"
    assert len(spec(inputs=[InputFile("a/c", BLOB, 1), InputFile("a/b 中", BLOB, 1)]).inputs) == 2


def test_variables_are_kept_and_those_of_the_scheduler_are_refused():
    assert spec("--export=ALL,A=1", environment={"B": "$(x)\n'"}).environment == {"A": "1", "B": "$(x)\n'"}
    for name in ("SLURM_JOB_ID", "PARACLOUD_X", "A B", "", "1A", "UID"):
        assert refused(environment={name: "x"}).field == "environment"


def test_the_machine_s_own_variables_do_not_travel_and_the_user_is_told():
    built = build("#!/bin/sh\n#SBATCH -t 1 --export=HOME,ALL\n")
    assert [notice.field for notice in built.notices] == ["export"]


def test_without_a_limit_an_hour_is_taken_and_said():
    built = build("#!/bin/sh\ntrue\n")
    assert built.spec.wall_limit == timedelta(hours=1)
    assert built.notices[0].field == "time"


def test_what_only_the_scheduler_understands_passes_through():
    assert spec("--qos=high -C 'intel&ib' --nice --signal=B:USR1@60").extra == {
        "qos": "high",
        "constraint": "intel&ib",
        "nice": "",
        "signal": "B:USR1@60",
    }


def test_an_unknown_option_or_objective_is_refused():
    assert refused(options={"nonsense": "1"}).field == "nonsense"
    assert refused(objective="best").field == "objective"
    assert isinstance(refused(options={"wrap": "ls"}), Unsupported)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=3))
def test_any_options_build_or_are_refused(options):
    assert field_of(lambda: build("#!/bin/sh\n", options)) is not None

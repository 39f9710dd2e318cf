import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.paracloud.dialects.slurm.golden import asked, dialect, recorded

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Conflict, Forbidden, Invalid, NotFound, Unreachable


def queue(name):
    (found,) = [one for one in dialect().queues().parse(recorded("scontrol-partitions-nodes")) if one.name == name]
    return found


def test_the_recorded_answers_belong_to_the_commands_that_are_sent():
    assert asked("scontrol-partitions-nodes")["command"] == list(dialect().queues().argv)
    assert asked("scontrol-nodes")["command"] == list(dialect().nodes().argv)
    assert asked("scancel-gone")["command"] == list(dialect().cancel(("1",)).argv)


def test_a_queue_has_its_limits_and_what_is_free_now():
    cpu = queue("cpu")
    assert (cpu.is_up, cpu.is_default, cpu.max_wall, cpu.max_nodes) == (True, True, timedelta(days=2), None)
    assert (cpu.nodes, cpu.cores, cpu.free_cores, cpu.free_nodes) == (2, 64, 59, 1)
    assert (cpu.cores_per_node, cpu.memory_per_node_bytes, cpu.gpus_per_node) == (32, 64000 << 20, 0)


def test_a_queue_with_gpus_has_their_model_and_how_many_are_free():
    gpu = queue("gpu")
    assert (gpu.gpus_per_node, gpu.gpu_model, gpu.free_gpus) == (4, "a100", 3)
    assert queue("debug").max_wall == timedelta(minutes=30)


def test_a_node_that_is_down_has_nothing_free_whatever_its_reason_says():
    nodes = {one.name: one for one in dialect().nodes().parse(recorded("scontrol-nodes-down"))}
    assert nodes["eastgpu1"].native_state.startswith("DOWN")
    assert nodes["eastgpu1"].free_cores == 0
    assert nodes["eastgpu1"].gpus == 4
    assert nodes["eastcpu2"].free_cores == 32


@pytest.mark.parametrize(
    "state", ["IDLE+DRAIN", "MIXED*", "IDLE+MAINTENANCE", "DOWN", "IDLE$", "FUTURE", "IDLE+REBOOT"]
)
def test_a_node_that_takes_no_jobs_offers_no_cores(state):
    answer = recorded("scontrol-nodes")
    odd = replace(answer, stdout=re.sub(rb"State=\S+", b"State=" + state.encode(), answer.stdout))
    assert {(one.native_state, one.free_cores) for one in dialect().nodes().parse(odd)} == {(state, 0)}


def test_half_an_answer_is_broken():
    answer = recorded("scontrol-partitions-nodes")
    with pytest.raises(Broken):
        dialect().queues().parse(replace(answer, stdout=answer.stdout[:600]))


def test_ping_names_the_version_of_the_controller():
    assert dialect().ping().parse(recorded("scontrol-config")) == "Slurm 22.05.8"
    with pytest.raises(Broken):
        dialect().ping().parse(Completed(0, b"hello\n", b""))
    with pytest.raises(Unreachable):
        dialect().ping().parse(recorded("squeue-silent"))


def test_cancelling_what_is_gone_is_success():
    gone = b"scancel: error: Kill job error on job id 7: Invalid job id specified\n"
    dialect().cancel(("7",)).parse(Completed(1, b"", gone))
    dialect().cancel(("7",)).parse(recorded("scancel-gone"))


def test_cancelling_is_no_success_while_slurm_is_silent_or_the_job_is_anothers():
    with pytest.raises(Unreachable):
        dialect().cancel(("1",)).parse(recorded("scancel-silent"))
    with pytest.raises(Forbidden):
        dialect().cancel(("1",)).parse(recorded("scancel-foreign"))


def test_a_gone_job_does_not_hide_that_another_was_not_cancelled():
    gone = b"scancel: error: Kill job error on job id 7: Invalid job id specified\n"
    with pytest.raises(Unreachable):
        dialect().cancel(("7", "8")).parse(Completed(1, b"", gone + recorded("scancel-silent").stderr))


def test_hold_and_release_say_what_is_wrong_with_the_job():
    dialect().hold("7").parse(recorded("uhold-running"))
    with pytest.raises(Conflict):
        dialect().hold("7").parse(recorded("uhold-ended"))
    with pytest.raises(NotFound):
        dialect().release("7").parse(recorded("release-unknown"))
    with pytest.raises(Unreachable):
        dialect().hold("7").parse(recorded("uhold-silent"))


@pytest.mark.parametrize("job", ["", "7 8", "-A", "7;id", "٧"])
def test_only_a_number_is_a_job_for_slurm(job):
    for verb in (lambda: dialect().cancel((job,)), lambda: dialect().hold(job), lambda: dialect().release(job)):
        with pytest.raises(Invalid):
            verb()

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


@pytest.mark.parametrize(("sockets", "cores", "threads"), [(2, 16, 1), (1, 16, 2), (2, 64, 1), (1, 8, 4)])
def test_threads_count_only_where_the_scheduler_counts_them_as_cores(sockets, cores, threads):
    answer = recorded("scontrol-partitions-nodes")
    text = re.sub(rb"CoresPerSocket=\d+", b"CoresPerSocket=%d" % cores, answer.stdout)
    odd = replace(answer, stdout=re.sub(rb"Sockets=\d+", b"Sockets=%d" % sockets, text))
    assert {one.threads_per_core for one in dialect().queues().parse(odd)} == {threads}


def test_a_queue_may_give_every_job_whole_nodes():
    answer = recorded("scontrol-partitions-nodes")
    alone = replace(answer, stdout=re.sub(rb"OverSubscribe=\S+", b"OverSubscribe=EXCLUSIVE", answer.stdout))
    told = [{one.gives_whole_nodes for one in dialect().queues().parse(one)} for one in (answer, alone)]
    assert told == [{False}, {True}]


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


PARTITION = b"PartitionName=%s State=UP MaxTime=1-00:00:00 MaxNodes=1\n"
NODE = b"NodeName=%d CPUTot=4 Sockets=1 CoresPerSocket=4 CPUAlloc=0 RealMemory=1000 State=IDLE Partitions=cpu\n"


def picture(partitions: bytes, nodes: bytes) -> Completed:
    command = dialect().queues()
    return Completed(0, partitions + b"\n" + command.argv[-1].encode() + b"\n" + nodes, b"")


def test_a_picture_of_many_queues_and_nodes_is_read_in_one_walk():
    nodes = b"".join(NODE % number for number in range(20_000))
    partitions = b"".join(PARTITION % b"p%d" % number for number in range(999)) + PARTITION % b"cpu"
    found = {one.name: one for one in dialect().queues().parse(picture(partitions, nodes))}
    assert (len(found), found["cpu"].nodes, found["cpu"].free_cores, found["p7"].nodes) == (1000, 20_000, 80_000, 0)


@pytest.mark.parametrize(
    ("partitions", "nodes", "says"),
    [
        (PARTITION % b"cpu" * 1001, b"", "more than 1000 of them"),
        (PARTITION % b"cpu" * 2, b"", "the same one twice"),
        (PARTITION % b"cpu", NODE % 1 * 50_001, "more than 50000 of them"),
        (PARTITION % b"cpu", (NODE % 1).replace(b"CPUTot=4", b"CPUTot=1000001"), "more than any node has"),
        (PARTITION % b"cpu", (NODE % 1).replace(b"RealMemory=1000", b"RealMemory=" + b"9" * 18), "more than any node"),
        (PARTITION % b"cpu", (NODE % 1).replace(b"RealMemory=1000", b"RealMemory=-1"), "no whole number"),
        (PARTITION % b"cpu", (NODE % 1).replace(b"Partitions=cpu", b"Partitions=" + b"cpu," * 300), "as many queues"),
        (PARTITION % b"cpu", (NODE % 1).strip() + b" Gres=gpu:a:999999999,gpu:b:1\n", "as many queues or cards"),
        (PARTITION.replace(b"1-00", b"99999999-00") % b"cpu", b"", "no time limit"),
    ],
)
def test_what_no_centre_has_is_not_believed(partitions, nodes, says):
    with pytest.raises(Broken, match=says):
        dialect().queues().parse(picture(partitions, nodes))

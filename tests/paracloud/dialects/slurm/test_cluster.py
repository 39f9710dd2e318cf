import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.paracloud.dialects.slurm.golden import asked, dialect, recorded

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Conflict, Forbidden, Invalid, NotFound, Unreachable

PARTITION = (
    b"PartitionName=%s State=UP MaxTime=1-00:00:00 MaxNodes=1 SelectTypeParameters=NONE"
    b" DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED\n"
)
CONFIG = (
    b"DefMemPerNode = UNLIMITED\nMaxMemPerNode = UNLIMITED\n"
    b"SelectType = select/cons_tres\nSelectTypeParameters = CR_CORE_MEMORY\n"
)
NODE = b"NodeName=%d CPUTot=4 Sockets=1 CoresPerSocket=4 CPUAlloc=0 RealMemory=1000 State=IDLE Partitions=cpu\n"


def picture(partitions: bytes, nodes: bytes, config: bytes = CONFIG) -> Completed:
    nonce = dialect().queues().argv[-1].encode()
    return Completed(0, (b"\n" + nonce + b"\n").join((partitions, config, nodes)), b"")


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


@pytest.mark.parametrize(("of_all", "own"), [(b"CR_SOCKET_MEMORY", b"NONE"), (b"CR_CORE", b"CR_SOCKET")])
def test_where_sockets_are_given_whole_their_cores_are_counted_together(of_all, own):
    partition = (PARTITION % b"cpu").replace(b"SelectTypeParameters=NONE", b"SelectTypeParameters=" + own)
    config = CONFIG.replace(b"CR_CORE_MEMORY", of_all)
    node = (NODE % 1).replace(b"CPUTot=4 Sockets=1 CoresPerSocket=4", b"CPUTot=32 Sockets=2 CoresPerSocket=8")
    (one,) = dialect().queues().parse(picture(partition, node, config))
    assert one.threads_per_core == 16


@pytest.mark.parametrize(
    ("of_all", "own"), [(b"CR_CORE,CR_ONE_TASK_PER_CORE", b"NONE"), (b"CR_CORE", b"CR_ONE_TASK_PER_CORE")]
)
def test_a_queue_may_give_each_task_cores_of_its_own(of_all, own):
    partition = (PARTITION % b"cpu").replace(b"SelectTypeParameters=NONE", b"SelectTypeParameters=" + own)
    (one,) = dialect().queues().parse(picture(partition, NODE % 1, CONFIG.replace(b"CR_CORE_MEMORY", of_all)))
    (plain,) = dialect().queues().parse(picture(PARTITION % b"cpu", NODE % 1, CONFIG))
    assert (one.gives_each_task_cores, plain.gives_each_task_cores) == (True, False)


def test_a_queue_may_give_every_job_whole_nodes():
    answer = recorded("scontrol-partitions-nodes")
    alone = replace(answer, stdout=re.sub(rb"OverSubscribe=\S+", b"OverSubscribe=EXCLUSIVE", answer.stdout))
    told = [{one.gives_whole_nodes for one in dialect().queues().parse(one)} for one in (answer, alone)]
    assert told == [{False}, {True}]


@pytest.mark.parametrize(
    ("plugin", "are_whole"),
    [
        (b"select/cons_tres", False),
        (b"select/cons_res", False),
        (b"select/linear", True),
        (b"select/cray_aries", True),
        (b"select/new", True),
    ],
)
def test_where_the_scheduler_cannot_share_a_node_every_job_has_whole_ones(plugin, are_whole):
    config = CONFIG.replace(b"select/cons_tres", plugin)
    (one,) = dialect().queues().parse(picture(PARTITION % b"cpu", b"", config))
    assert one.gives_whole_nodes == are_whole


@pytest.mark.parametrize(
    ("own", "of_all", "most"),
    [
        (b"MaxMemPerNode=UNLIMITED", b"MaxMemPerNode = UNLIMITED", None),
        (b"MaxMemPerNode=UNLIMITED", b"MaxMemPerCPU            = 1000", 1000),
        (b"MaxMemPerCPU=2000", b"MaxMemPerCPU = 1000", 2000),
        (b"MaxMemPerCPU=2000", b"MaxMemPerNode = 9000", 2000),
        # Its own, though it is none of a core: what a real controller did.
        (b"MaxMemPerNode=3000", b"MaxMemPerCPU = 1000", None),
        (b"MaxMemPerCPU=UNLIMITED", b"MaxMemPerCPU = 1000", None),
        (b"MaxMemPerCPU=0", b"MaxMemPerCPU = 1000", None),
    ],
)
def test_the_most_memory_of_a_core_is_the_queues_own_or_else_the_clusters(own, of_all, most):
    partition = (PARTITION % b"cpu").replace(b"MaxMemPerNode=UNLIMITED", own)
    config = CONFIG.replace(b"MaxMemPerNode = UNLIMITED", of_all)
    (one,) = dialect().queues().parse(picture(partition, b"", config))
    assert one.max_memory_per_core_bytes == (None if most is None else most << 20)


@pytest.mark.parametrize(
    ("own", "of_all", "core", "node"),
    [
        (b"DefMemPerNode=UNLIMITED", b"DefMemPerNode = UNLIMITED", None, None),
        (b"DefMemPerNode=UNLIMITED", b"DefMemPerCPU = 1000", 1000, None),
        (b"DefMemPerNode=UNLIMITED", b"DefMemPerNode = 9000", None, 9000),
        (b"DefMemPerCPU=2000", b"DefMemPerNode = 9000", 2000, None),
        (b"DefMemPerNode=8000", b"DefMemPerCPU = 1000", None, 8000),
        (b"DefMemPerCPU=UNLIMITED", b"DefMemPerCPU = 1000", None, None),
    ],
)
def test_the_memory_of_a_job_that_asks_for_none_is_the_queues_own_or_else_the_clusters(own, of_all, core, node):
    partition = (PARTITION % b"cpu").replace(b"DefMemPerNode=UNLIMITED", own)
    config = CONFIG.replace(b"DefMemPerNode = UNLIMITED", of_all)
    (one,) = dialect().queues().parse(picture(partition, b"", config))
    told = (one.default_memory_per_core_bytes, one.default_memory_per_node_bytes)
    assert told == tuple(None if size is None else size << 20 for size in (core, node))


def test_a_recorded_queue_has_its_memory_of_a_core():
    assert queue("cpu").default_memory_per_core_bytes == 1000 << 20
    assert queue("cpu").max_memory_per_core_bytes is None
    assert queue("debug").default_memory_per_core_bytes is None
    assert queue("debug").default_memory_per_node_bytes is None


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


@pytest.mark.parametrize("length", [0, 600, 3000])
def test_a_part_of_an_answer_is_broken(length):
    answer = recorded("scontrol-partitions-nodes")
    with pytest.raises(Broken, match="only a part"):
        dialect().queues().parse(replace(answer, stdout=answer.stdout[:length]))


def test_the_budget_of_the_centre_counts_each_call_that_the_picture_of_its_queues_takes():
    command = dialect().queues()
    assert command.cost == command.argv[2].count("scontrol") == 3


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
        ((PARTITION % b"cpu").replace(b"MaxMemPerNode=UNLIMITED", b""), b"", "partition .*MaxMemPerNode"),
        ((PARTITION % b"cpu").replace(b"MaxMemPerNode=UNLIMITED", b"MaxMemPerCPU=2G"), b"", "no whole number"),
        ((PARTITION % b"cpu").replace(b"DefMemPerNode=UNLIMITED", b"DefMemPerCPU=" + b"9" * 12), b"", "more than any"),
    ],
)
def test_what_no_centre_has_is_not_believed(partitions, nodes, says):
    with pytest.raises(Broken, match=says):
        dialect().queues().parse(picture(partitions, nodes))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (b"", "configuration .*SelectType"),
        (CONFIG.replace(b"DefMemPerNode", b"DefMem"), "configuration .*DefMemPerNode"),
        (CONFIG.replace(b"SelectTypeParameters", b"SelectTyped"), "configuration .*SelectTypeParameters"),
        (CONFIG.replace(b"SelectType ", b"SelectTyped "), "configuration .*SelectType"),
        (CONFIG.replace(b"MaxMemPerNode = UNLIMITED", b"MaxMemPerCPU = -1"), "no whole number"),
        (CONFIG.replace(b"MaxMemPerNode = UNLIMITED", b"MaxMemPerCPU = " + b"9" * 12), "more than any node"),
        (CONFIG.replace(b"DefMemPerNode = UNLIMITED", b"DefMemPerCPU = (null)"), "no whole number"),
    ],
)
def test_a_configuration_that_is_not_understood_is_not_guessed(config, says):
    with pytest.raises(Broken, match=says):
        dialect().queues().parse(picture(PARTITION % b"cpu", b"", config))

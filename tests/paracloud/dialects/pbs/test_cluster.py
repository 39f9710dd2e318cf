from dataclasses import replace
from datetime import timedelta

import pytest
from tests.paracloud.dialects.pbs.golden import OPENPBS, TORQUE, asked, dialect, recorded

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Unreachable

each_flavour = pytest.mark.parametrize("flavour", [OPENPBS, TORQUE])


def queues(flavour):
    return {one.name: one for one in dialect(flavour).queues().parse(recorded(flavour, "queues-nodes"))}


def nodes(flavour):
    return {one.name: one for one in dialect(flavour).nodes().parse(recorded(flavour, "queues-nodes"))}


@each_flavour
def test_the_golden_answer_is_to_the_command_that_is_sent(flavour):
    assert asked(flavour, "queues-nodes")["command"] == list(dialect(flavour).queues().argv)
    assert dialect(flavour).queues().cost == 3


@pytest.mark.parametrize(("flavour", "name"), [(OPENPBS, "workq"), (TORQUE, "batch")])
def test_a_queue_has_its_limits_and_the_one_that_is_named_is_the_default(flavour, name):
    found = queues(flavour)
    assert (found[name].max_wall, found[name].max_nodes) == (timedelta(hours=24), 4)
    assert [one.name for one in found.values() if one.is_default] == [name]


def test_free_cores_are_those_of_nodes_that_take_jobs():
    workq = queues(OPENPBS)["workq"]
    assert (workq.nodes, workq.cores, workq.free_cores, workq.free_nodes) == (5, 224, 146, 1)
    batch = queues(TORQUE)["batch"]
    assert (batch.nodes, batch.cores, batch.free_cores, batch.free_nodes) == (4, 84, 43, 1)


@pytest.mark.parametrize(("flavour", "name", "free"), [(OPENPBS, "gpuq", 6), (TORQUE, "gpu", 1)])
def test_a_queue_of_nodes_with_cards_has_those_alone(flavour, name, free):
    queue = queues(flavour)[name]
    assert (queue.gpus_per_node, queue.free_gpus) == ({OPENPBS: 4, TORQUE: 2}[flavour], free)
    assert queue.nodes == {OPENPBS: 2, TORQUE: 1}[flavour]


def test_the_model_of_the_cards_is_told_where_the_nodes_name_it():
    assert queues(OPENPBS)["gpuq"].gpu_model == "a100"


@pytest.mark.parametrize(("flavour", "name"), [(OPENPBS, "debug"), (TORQUE, "old")])
def test_a_queue_that_is_stopped_or_closed_is_down(flavour, name):
    assert not queues(flavour)[name].is_up


def test_a_node_that_is_bound_to_a_queue_serves_no_other():
    assert nodes(OPENPBS)["n4"].queues == ("debug",)
    assert "n4" not in {name for name, node in nodes(OPENPBS).items() if "workq" in node.queues}


def test_a_routing_queue_has_what_its_destinations_have():
    found = queues(OPENPBS)
    assert (found["normal"].nodes, found["normal"].max_wall) == (found["workq"].nodes, timedelta(hours=48))
    assert found["normal"].is_up


@each_flavour
def test_a_node_that_is_down_has_nothing_free(flavour):
    node = nodes(flavour)["n3"]
    assert (node.free_cores, node.cores, node.native_state) == (0, 32, "down,offline")


@each_flavour
def test_a_node_has_its_memory_and_its_cores_in_use(flavour):
    node = nodes(flavour)["n1"]
    assert (node.memory_bytes, node.free_cores) == (131899992 << 10, {OPENPBS: 26, TORQUE: 27}[flavour])


@pytest.mark.parametrize(
    ("flavour", "was", "is_now"),
    [
        (OPENPBS, b'"ncpus":64', b'"ncpus":"many"'),
        (OPENPBS, b'"ncpus":64', b'"ncpus":2000000'),
        (OPENPBS, b'"mem":"131899992kb"', b'"mem":"99999999tb"'),
        (OPENPBS, b'"state":"free"', b'"condition":"free"'),
        (OPENPBS, b'"walltime":"24:00:00"', b'"walltime":"a day"'),
        (TORQUE, b"<np>32</np>", b"<np>-1</np>"),
        (TORQUE, b"<np>32</np>", b""),
        (TORQUE, b"0-1/31.tq1", b"?/31.tq1"),
        (TORQUE, b"physmem=131899992kb", b"physmem=much"),
        (TORQUE, b"resources_max.nodect = 4", b"resources_max.nodect = four"),
    ],
)
def test_what_is_not_understood_is_broken_never_skipped(flavour, was, is_now):
    whole = recorded(flavour, "queues-nodes")
    assert was in whole.stdout
    with pytest.raises(Broken):
        dialect(flavour).queues().parse(replace(whole, stdout=whole.stdout.replace(was, is_now)))


@each_flavour
def test_an_answer_cut_anywhere_is_broken(flavour):
    whole = recorded(flavour, "queues-nodes").stdout
    for end in range(0, len(whole) - 1, 61):
        with pytest.raises(Broken):
            dialect(flavour).queues().parse(Completed(0, whole[:end], b""))


@pytest.mark.parametrize(("flavour", "text"), [(OPENPBS, "OpenPBS 23.06.06"), (TORQUE, "Torque 6.1.3")])
def test_ping_names_the_servers_version(flavour, text):
    assert dialect(flavour).ping().parse(recorded(flavour, "server")) == text


@pytest.mark.parametrize("version", [b"PBSPro_13.1.2.160576", b"14.1.10", b"18.1.4"])
def test_an_old_pbs_professional_is_not_taken_for_a_torque(version):
    answer = recorded(TORQUE, "server")
    with pytest.raises(Broken, match="PBS Professional"):
        dialect(TORQUE).ping().parse(replace(answer, stdout=answer.stdout.replace(b"6.1.3", version)))


@each_flavour
def test_a_server_that_names_no_version_is_broken(flavour):
    with pytest.raises(Broken):
        dialect(flavour).ping().parse(Completed(0, b"", b""))


@each_flavour
def test_a_silent_server_is_unreachable(flavour):
    for command in (dialect(flavour).ping(), dialect(flavour).queues(), dialect(flavour).nodes()):
        with pytest.raises(Unreachable):
            command.parse(recorded(flavour, "qdel-silent"))

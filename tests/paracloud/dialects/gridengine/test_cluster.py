import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.paracloud.dialects.gridengine.golden import NONCE, dialect, recorded

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Unreachable

BUSY = recorded("queues-busy")


def queues(completed=BUSY):
    return {one.name: one for one in dialect().queues().parse(completed)}


def changed(*pairs):
    text = BUSY.stdout
    for old, new in pairs:
        assert old.encode() in text
        text = text.replace(old.encode(), new.encode())
    return replace(BUSY, stdout=text)


def one_queue(**fields):
    values = {"name": "cpu@n1", "slots_total": "8", "slots_used": "3", "slots_resv": "1", **fields}
    rows = "".join(f"<{name}>{value}</{name}>" for name, value in values.items() if not name.startswith("r_"))
    rows += "".join(
        f'<resource name="{name[2:]}" type="hc">{value}</resource>'
        for name, value in values.items()
        if name.startswith("r_")
    )
    xml = f"<job_info><queue_info><Queue-List>{rows}</Queue-List></queue_info></job_info>"
    return Completed(0, f"{NONCE}\n<?xml version='1.0'?>{xml}\n".encode(), b"")


def test_a_queue_has_its_limits_and_what_is_free_of_it():
    cpu, gpu = queues()["cpu"], queues()["gpu"]
    assert (cpu.nodes, cpu.cores, cpu.cores_per_node, cpu.max_wall) == (2, 16, 8, timedelta(days=2))
    assert (cpu.free_cores, cpu.is_up, cpu.is_default, cpu.gpus_per_node) == (1, True, True, 0)
    assert (gpu.max_wall, gpu.is_default, gpu.free_cores) == (timedelta(minutes=30), False, 5)


def test_cards_and_memory_that_are_in_use_are_still_the_queues():
    gpu = queues()["gpu"]
    assert (gpu.gpus_per_node, gpu.free_gpus, gpu.gpu_model) == (2, 0, "a100")
    assert {one.memory_per_node_bytes for one in queues().values()} == {64000 << 20}


def test_nodes_are_told_with_their_queues():
    nodes = {one.name: one for one in dialect().nodes().parse(BUSY)}
    assert {name: one.queues for name, one in nodes.items()} == {
        "gridcpu1": ("cpu",),
        "gridcpu2": ("cpu",),
        "gridgpu1": ("gpu",),
    }
    assert (nodes["gridgpu1"].cores, nodes["gridgpu1"].gpus, nodes["gridgpu1"].memory_bytes) == (8, 2, 64000 << 20)


@pytest.mark.parametrize("state", ["au", "d", "E", "s", "adu"])
def test_a_host_in_trouble_has_nothing_free(state):
    (queue,) = queues(one_queue(state=state)).values()
    assert (queue.free_cores, queue.free_nodes, queue.cores) == (0, 0, 8)


@pytest.mark.parametrize(("state", "is_up"), [("", True), ("a", True), ("au", False), ("d", False), ("E", False)])
def test_a_queue_is_up_as_long_as_one_of_its_hosts_is(state, is_up):
    assert queues(one_queue(state=state))["cpu"].is_up is is_up


def test_a_host_is_not_free_where_another_queue_uses_its_slots():
    idle, busy = one_queue(slots_used="0", slots_resv="0"), one_queue(name="gpu@n1", slots_used="1")
    (row,) = re.findall(rb"<Queue-List>.*</Queue-List>", busy.stdout)
    both = replace(idle, stdout=idle.stdout.replace(b"</queue_info>", row + b"</queue_info>"))
    assert {name: one.free_nodes for name, one in queues(both).items()} == {"cpu": 0, "gpu": 0}
    apart = replace(both, stdout=both.stdout.replace(b"gpu@n1", b"gpu@n2"))
    assert {name: one.free_nodes for name, one in queues(apart).items()} == {"cpu": 1, "gpu": 0}


def test_slots_of_a_host_that_other_queues_have_taken_are_not_free():
    assert queues(one_queue())["cpu"].free_cores == 4
    assert queues(one_queue(r_slots="2.000000"))["cpu"].free_cores == 2


def test_a_queue_without_a_limit_has_none():
    assert queues(one_queue(r_h_rt="infinity"))["cpu"].max_wall is None


@pytest.mark.parametrize(
    "fields",
    [
        {"slots_total": "many"},
        {"slots_total": "-1"},
        {"slots_total": "9" * 12},
        {"r_h_rt": "soon"},
        {"r_mem_total": "lots"},
        {"r_gpu": "-3"},
    ],
)
def test_a_queue_that_is_not_understood_is_broken(fields):
    with pytest.raises(Broken):
        queues(one_queue(**fields))


def test_silence_is_no_centre_without_queues():
    with pytest.raises(Unreachable):
        dialect().ping().parse(recorded("ping-silent"))
    with pytest.raises(Unreachable):
        dialect().queues().parse(recorded("ping-silent"))


def test_the_version_is_named():
    assert dialect().ping().parse(recorded("ping")) == "Grid Engine 8.1.9"


def test_two_queues_of_the_same_order_have_no_default():
    both = changed(
        ('<resource name="seq_no" type="qf">10</resource>', '<resource name="seq_no" type="qf">0</resource>')
    )
    assert [one.is_default for one in queues(both).values()] == [False, False]

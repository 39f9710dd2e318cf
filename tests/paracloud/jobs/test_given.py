"""What a job can be given at all queues at once is what `most_given` says of each."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paracloud.jobs.world import queue

from paracloud.jobs.given import Queues
from paracloud.jobs.most_given import most_given
from paracloud.jobs.spec import JobSpec

MIB = 1 << 20
memory = st.none() | st.integers(100, 5000).map(lambda of: of * MIB + 7)


@st.composite
def queues(draw):
    nodes, each, cards = draw(st.integers(0, 9)), draw(st.sampled_from([0, 2, 4, 64])), draw(st.sampled_from([0, 4]))
    return queue(
        nodes=nodes, cores=nodes * each, cores_per_node=each, gpus_per_node=cards, gpu_model="a100" if cards else None,
        memory_per_node_bytes=draw(st.integers(0, 64 << 30)), gives_whole_nodes=draw(st.booleans()),
        gives_each_task_cores=draw(st.booleans()), threads_per_core=draw(st.sampled_from([1, 2, 4])),
        max_memory_per_core_bytes=draw(memory), default_memory_per_core_bytes=draw(memory),
        default_memory_per_node_bytes=draw(memory),
    )  # fmt: skip


@st.composite
def specs(draw):
    asked = draw(st.sampled_from(["memory_per_node_bytes", "memory_per_core_bytes", None]))
    return JobSpec(
        "j", "", timedelta(hours=1), tasks=draw(st.integers(1, 40)), cores_per_task=draw(st.integers(1, 5)),
        nodes=draw(st.none() | st.integers(1, 6)), tasks_per_node=draw(st.none() | st.integers(1, 5)),
        gpus_per_node=draw(st.integers(0, 3)), exclusive=draw(st.booleans()),
        extra=draw(st.sampled_from([{}, {"qos": "x"}])),
        **({} if asked is None else {asked: draw(st.integers(1, 90 << 30))}),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(queues(), min_size=1, max_size=4), specs())
def test_all_queues_at_once_give_what_each_gives(found, spec) -> None:
    together = Queues(found).given(spec)
    assert together is not None
    for at, one in enumerate(found):
        alone = most_given(spec, one)
        assert {name: int(getattr(together, name)[at]) for name in alone} == alone


def test_what_is_not_as_most_are_is_left_to_most_given() -> None:
    for name in ("hint", "mincpus", "nodelist", "licenses", "ntasks-per-core", "sockets-per-node"):
        assert Queues([queue()]).given(JobSpec("j", "", timedelta(hours=1), extra={name: "1"})) is None

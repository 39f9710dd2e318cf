"""The most that a job can be given of a queue, by every option that could raise it."""

from dataclasses import replace

import pytest
from tests.paracloud.jobs.world import GIB, queue

from paracloud.jobs.build import build
from paracloud.jobs.directives import DIRECTIVES, Use
from paracloud.jobs.most_given import most_given
from paracloud.kit.errors import Invalid, Refused, Unsupported

WIDE = queue(nodes=8, cores=256, cores_per_node=32, memory_per_node_bytes=64 * GIB, gpus_per_node=4, gpu_model="a100")
THREADED = queue(nodes=8, cores=256, cores_per_node=32, threads_per_core=2)

MIB = 1 << 20
SCARCE = queue(
    nodes=4, cores=128, cores_per_node=32, memory_per_node_bytes=64000 * MIB,
    max_memory_per_core_bytes=1000 * MIB, default_memory_per_core_bytes=1000 * MIB,
)  # fmt: skip
"""A core may have less than its share of a node's memory."""


def given(directives: str, at=WIDE) -> dict[str, int]:
    return {name: int(most) for name, most in most_given(spec(directives), at).items()}


def spec(directives: str):
    return build(f"#!/bin/sh\n#SBATCH -t 1 {directives}\n").spec


@pytest.mark.parametrize(
    ("directives", "given_there", "most"),
    [("-n 4", 8, 8), ("-N 1 -n 2 -c 3", 8, 12), ("-n 32", 64, 64), ("-n 4 --hint=multithread", 4, 8)],
)
def test_where_each_task_has_cores_of_its_own_their_other_threads_are_counted(directives, given_there, most):
    """`given_there` is what a real controller gave, with CR_ONE_TASK_PER_CORE and two threads a core."""
    assert given_there <= given(directives, replace(THREADED, gives_each_task_cores=True))["cores"] == most


@pytest.mark.parametrize(
    ("directives", "cores"),
    [
        ("-n 1", 1),
        ("-n 4 -c 8", 32),
        ("-n 1 --mincpus=32", 32),
        ("-N 2 -n 2 --mincpus=8", 16),
        ("-N 2 -n 12 --mincpus=8", 8 + 11),  # eleven tasks on one node, one on the other
        ("-n 3 --mincpus=8", 24),  # on up to three nodes
        ("-N 1 --mincpus=999", 32),  # no node has more
        ("-N 2 -n 3 --ntasks-per-node=2", 4),
        ("-N 2 -n 4 --ntasks-per-node=2", 4),
        ("-n 5 --ntasks-per-node=2", 6),
        ("-N 2 -n 3 --ntasks-per-node=2 --mincpus=4", 8),
        ("-n 4 --hint=nomultithread", 4),
        ("-n 4 --threads-per-core=1", 4),
        ("-N 1 --cores-per-socket=8", 32),
        ("-N 2 --sockets-per-node=2", 64),
        ("-N 1 -B 2:4:1", 32),
        ("-n 2 --ntasks-per-socket=1", 64),
        ("-N 1 --hint=compute_bound", 32),
        ("-N 1 --hint=memory_bound", 32),
        ("-n 4 --exclusive", 32),
        ("-n 3 -c 20 --exclusive", 96),  # only one such task fits on a node
        ("-n 32 --mem-per-cpu=4G --exclusive", 64),  # only half of them have their memory on one node
        ("-n 1 -w node[1-1]", 1),
        ("-n 4 -w node[1-4] --exclusive", 128),
    ],
)
def test_cores_are_never_more_than_the_ceiling_counts(directives, cores):
    assert given(directives)["cores"] == cores


@pytest.mark.parametrize(
    ("directives", "cores"),
    [
        ("-N 1 -n 1", 2),  # a core is given whole
        ("-N 1 -n 3", 4),
        ("-n 4 -c 2", 8),
        ("-N 1 -n 2 -c 3", 8),
        ("-N 1 -n 4 --hint=nomultithread", 8),
        ("-N 1 -n 4 --threads-per-core=1", 8),
        ("-N 1 -n 4 --ntasks-per-core=1", 8),
        ("-N 1 -n 4 --hint=multithread", 4),
        ("-N 1 -n 1 --mincpus=3", 4),
        ("-N 1 -n 1 --mincpus=3 --threads-per-core=1", 6),
    ],
)
def test_where_cores_have_several_threads_whole_cores_count(directives, cores):
    assert given(directives, THREADED)["cores"] == cores


@pytest.mark.parametrize(
    ("directives", "given_there", "most"),
    [
        ("-n 1", 1, 1),
        ("-n 1 --mem-per-cpu=2000", 2, 2),
        ("-n 1 --mem-per-cpu=2500", 3, 3),
        ("-n 3 --mem-per-cpu=2500", 9, 9),
        ("-n 3 -c 3 --mem-per-cpu=2500", 27, 27),
        ("-n 1 -c 3 --mem-per-cpu=1500", 6, 6),
        ("-n 1 -c 7 --mem-per-cpu=1100", 14, 14),
        ("-N 2 -n 2 --mem-per-cpu=2000", 3, 4),
        ("-n 32 --mem-per-cpu=2000", 64, 64),
        ("-n 32 --mem-per-cpu=2000 --exclusive", 64, 64),
        ("-n 5 --ntasks-per-node=2 --mem-per-cpu=2500", 16, 18),
        ("-n 1 --mincpus=4 --mem-per-cpu=3000", 3, 4),
        ("-n 4 --hint=nomultithread --mem-per-cpu=2000", 8, 8),
        ("-N 1 -n 1 --mem=8000", 8, 8),
        ("-N 2 -n 2 --mem=8000", 16, 16),
        ("-N 2 -n 12 --mem=8000", 16, 8 + 11),
        ("-n 3 --mem=8500", 9, 27),  # on up to three nodes
        ("-N 1 -n 1 -c 3 --mem=8500", 9, 9),
        ("-n 5 --ntasks-per-node=2 --mem=4000", 12, 12),
        ("-N 1 -n 1 --mincpus=8 --mem=3000", 8, 8),
        ("-N 1 -n 1 --exclusive --mem=2000", 32, 32),
    ],
)
def test_more_memory_than_a_core_may_have_is_more_cores(directives, given_there, most):
    """`given_there` is what a real controller gave."""
    assert given_there <= given(directives, SCARCE)["cores"] == most


@pytest.mark.parametrize(
    ("directives", "default", "given_there", "most"),
    [
        ("-n 1", {"default_memory_per_core_bytes": 2500 * MIB}, 3, 3),
        ("-n 3", {"default_memory_per_core_bytes": 2500 * MIB}, 9, 9),
        ("-N 2 -n 3", {"default_memory_per_core_bytes": 2500 * MIB}, 7, 9),
        ("-n 32 --exclusive", {"default_memory_per_core_bytes": 2500 * MIB}, 128, 128),
        ("-n 1 --mem=2500", {"default_memory_per_core_bytes": 2500 * MIB}, 3, 3),
        ("-n 1", {"default_memory_per_node_bytes": 8000 * MIB}, 8, 8),
        ("-N 2 -n 3", {"default_memory_per_node_bytes": 8000 * MIB}, 16, 16),
        ("-n 1 -c 3", {"default_memory_per_node_bytes": 8000 * MIB}, 6, 8),
        ("-n 1", {"max_memory_per_core_bytes": 2000 * MIB}, 32, 32),  # with no default it is all that a node has
        ("-N 2 -n 3", {"max_memory_per_core_bytes": 2000 * MIB}, 64, 64),
        ("-n 1", {"max_memory_per_core_bytes": 4000 * MIB}, 16, 16),
        ("-n 1 -c 3", {"max_memory_per_core_bytes": 4000 * MIB}, 15, 16),
        ("-n 1 --mem-per-cpu=2500", {"max_memory_per_core_bytes": 4000 * MIB}, 1, 1),
    ],
)
def test_the_memory_of_a_job_that_asks_for_none_takes_cores_too(directives, default, given_there, most):
    """`given_there` is what a real controller gave."""
    at = replace(SCARCE, **{"default_memory_per_core_bytes": None, **default})
    assert given_there <= given(directives, at)["cores"] == most


@pytest.mark.parametrize(
    ("directives", "given_there", "most"),
    [
        ("-n 1 --mem-per-cpu=2500", 4, 4),
        ("-n 3 --mem-per-cpu=2500", 10, 12),
        ("-n 3 --mem-per-cpu=1500", 6, 6),
        ("-n 1 -c 3 --mem-per-cpu=2500", 10, 10),
        ("-N 1 -n 1 --mem=2500", 4, 4),
        ("-N 2 -n 3 --mem=4500", 12, 12),
        ("-n 4 --hint=nomultithread --mem-per-cpu=1500", 16, 16),
        ("-n 4 --threads-per-core=1 --mem-per-cpu=2500", 24, 24),
        ("-N 1 -n 1 --threads-per-core=1 --mem=5000", 10, 10),
        ("-N 1 -n 2 --ntasks-per-core=1 --mem=9000", 18, 18),
        ("-n 5 --ntasks-per-node=2 --mem-per-cpu=2500", 14, 24),
    ],
)
def test_cores_for_memory_are_whole_ones_where_they_have_several_threads(directives, given_there, most):
    """`given_there` is what a real controller gave."""
    assert given_there <= given(directives, replace(SCARCE, threads_per_core=2))["cores"] == most


@pytest.mark.parametrize(
    ("directives", "given_there", "most"),
    [
        ("-n 1", 16, 16),
        ("-N 1 -n 3", 16, 16),
        ("-n 4", 32, 64),  # on up to four nodes
        ("-N 1 -n 2 -c 3", 16, 32),
        ("-n 1 -c 17", 32, 32),
        ("-N 2 -n 3", 32, 32),
        ("-N 1 -n 1 --mincpus=3", 16, 16),
        ("-n 5 --ntasks-per-node=2", 48, 48),
        ("-n 32 --exclusive", 32, 32),
        ("-n 32", 32, 80),
    ],
)
def test_sockets_that_are_given_whole_are_counted_whole(directives, given_there, most):
    """`given_there` is what a real controller gave, with CR_Socket_Memory and two sockets of 16."""
    at = replace(SCARCE, threads_per_core=16, max_memory_per_core_bytes=None)
    assert given_there <= given(directives, at)["cores"] == most


def test_the_memory_of_a_core_is_what_is_left_of_it_where_a_task_has_more_of_them():
    assert given("-n 1 --mem-per-cpu=2500", SCARCE)["memory_bytes"] == 2502 * MIB  # three cores, in whole mebibytes
    assert given("-n 1 -c 7 --mem-per-cpu=1100", SCARCE)["memory_bytes"] == 7700 * MIB
    assert given("-N 2 -n 2 --mem=8500", SCARCE)["memory_bytes"] == 17000 * MIB
    assert given("-n 1", SCARCE)["memory_bytes"] == 64000 * MIB  # what nobody asked for is not relied on


@pytest.mark.parametrize(
    ("directives", "given_there", "most"),
    [
        ("-n 1", 32, 32),
        ("-n 1 -c 3", 32, 32),
        ("-n 1 --mem=1000", 32, 32),
        ("-n 1 --mem-per-cpu=100", 32, 32),
        ("-n 1 --mincpus=8", 32, 32),
        ("-n 2 --mem=40000", 32, 32),
        ("-n 33", 64, 64),
        ("-N 2 -n 2", 64, 64),
        ("-n 3 -c 20", 64, 96),
        ("-n 5 --ntasks-per-node=2", 96, 96),
    ],
)
def test_a_scheduler_that_gives_whole_nodes_alone_gives_no_more_than_is_counted(directives, given_there, most):
    """`given_there` is what a real controller gave, with select/linear."""
    at = replace(SCARCE, gives_whole_nodes=True, max_memory_per_core_bytes=None)
    assert given_there <= given(directives, at)["cores"] == most


def test_an_exclusive_job_has_every_card_of_its_nodes():
    assert given("-N 2 --exclusive --gres=gpu:1")["gpus"] == 8
    assert given("-N 2 --gres=gpu:1")["gpus"] == 2
    assert given("-N 1 --exclusive")["gpus"] == 4


def test_where_every_job_has_its_nodes_alone_all_of_them_counts():
    alone = replace(WIDE, gives_whole_nodes=True)
    assert given("-n 1 --mem=1G", alone) == {"cores": 32, "nodes": 1, "gpus": 4, "memory_bytes": 64 * GIB}
    assert given("-n 64", alone)["cores"] == 64


def test_memory_follows_the_cores_that_are_given():
    assert given("-N 1 -n 1 --mincpus=8 --mem-per-cpu=1G")["memory_bytes"] == 8 * GIB
    assert given("-N 1 -n 1 --mem=2G")["memory_bytes"] == 2 * GIB


def test_named_nodes_are_counted_and_cannot_be_more_than_the_job_has():
    assert given("-N 3 -w 'n[1-2],m7'")["nodes"] == 3
    assert given("-n 4 --nodelist=n1,n2")["nodes"] == 4
    assert given("-n 4 --nodelist=n1,n2,") == given("-n 4 --nodelist=n1,n2")
    for words in ("-n 1 -w 'n[1-10]'", "-N 2 -w 'n[01-02,7]'", "-w 'r[1-2]n[1-2]' -n 3", "-w n[1-99999999]"):
        with pytest.raises(Invalid, match="--nodes"):
            spec(words)
    for words in ("-w /etc/nodes", "-w ./nodes", "-w 'n[1'", "-w '2*n1'", "-w ''", "-w 'n[5-1]'"):
        with pytest.raises(Invalid, match="nodelist"):
            spec(words)


@pytest.mark.parametrize(
    "directives",
    ["--spread-job", "--cluster-constraint=a", "-C 'gpu*4'", "--prefer='[a*2&b*3]'"],
)
def test_what_could_raise_it_and_cannot_be_counted_is_refused_by_name(directives):
    with pytest.raises(Refused) as caught:
        spec(directives)
    assert caught.value.field in {"spread-job", "cluster-constraint", "constraint", "prefer"}
    assert isinstance(caught.value, Unsupported)


def test_a_wrong_number_is_refused_by_name():
    for words in ("--mincpus=x", "--mincpus=0", "--mincpus=1K"):
        with pytest.raises(Invalid):
            spec(words)


def test_each_option_that_goes_to_the_scheduler_as_it_is_says_why_it_cannot_raise_what_is_given():
    for one in DIRECTIVES:
        assert one.use is not Use.PASSED or (one.en and one.zh), one.name

"""No scheduler is asked for more memory than the most that a job holds for."""

import re

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.paracloud.jobs.world import GIB, queue

from paracloud.dialects.registry import dialect_named
from paracloud.jobs.build import build
from paracloud.jobs.most_given import most_given
from paracloud.jobs.request import request
from paracloud.kit.errors import Invalid, Unsupported
from paracloud.kit.identifiers import JobId, new_uuid

MIB = 1 << 20
WIDE = queue(nodes=64, cores=64 * 128, cores_per_node=128, memory_per_node_bytes=512 * GIB)
BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "mb": 1 << 20}


def size(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\w*)", text).groups()
    return int(number) * BYTES[unit]


def of_slurm(script: str, most: dict[str, int]) -> int:
    node = re.search(r"--mem=(\w+)", script)
    core = re.search(r"--mem-per-cpu=(\w+)", script)
    return size(node[1]) * most["nodes"] if node else size(core[1]) * most["cores"]


def of_gridengine(script: str, most: dict[str, int]) -> int:
    slots = re.search(r"^#\$ -pe \S+ (\d+)$", script, re.MULTILINE)
    return size(re.search(r"h_vmem=(\w+)", script)[1]) * (int(slots[1]) if slots else 1)


def of_openpbs(script: str, most: dict[str, int]) -> int:
    chunks = re.search(r"-l select=(\S+)", script)[1].split("+")
    return sum(int(one.split(":")[0]) * size(re.search(r":mem=(\w+)", one)[1]) for one in chunks)


def of_torque(script: str, most: dict[str, int]) -> int:
    return size(re.search(r"-l mem=(\w+)", script)[1])


ASKED = {"slurm": of_slurm, "gridengine": of_gridengine, "openpbs": of_openpbs, "torque": of_torque}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(ASKED)),
    st.sampled_from(["mem", "mem-per-cpu"]),
    st.integers(1, 5_000_000).map(lambda kib: f"{kib}K") | st.integers(1, 4000).map(lambda mib: f"{mib}M"),
    st.integers(1, 128),
    st.integers(1, 4),
    st.sampled_from(["", "--nodes=1", "--nodes=2", "--ntasks-per-node=3"]),
)
@example("slurm", "mem-per-cpu", "1K", 128, 1, "--nodes=1")
@example("gridengine", "mem", "1G", 3, 1, "--nodes=1")
@example("openpbs", "mem", "1K", 5, 1, "--nodes=2")
@example("torque", "mem-per-cpu", "1K", 128, 1, "--nodes=1")
def test_what_a_script_asks_for_is_within_what_is_held(name, option, memory, tasks, cores, more) -> None:
    try:
        spec = build(f"#!/bin/sh\n#SBATCH -t 1 -n {tasks} -c {cores} --{option}={memory} {more}\n").spec
        asked = request(JobId(new_uuid()), spec, "cpu", [], is_held=False)
        script = dialect_named(name).script(asked)
    except (Unsupported, Invalid):
        assume(False)
    most = {key: int(value) for key, value in most_given(spec, WIDE).items()}
    assert 0 < ASKED[name](script, most) <= most["memory_bytes"]

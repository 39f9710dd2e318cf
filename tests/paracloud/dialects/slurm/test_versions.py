"""What other releases of Slurm print otherwise than the one that the golden files are from."""

import tomllib

import pytest
from tests.paracloud.dialects.slurm.golden import FOLDER, NONCE, dialect, recorded

from paracloud.dialects.records import NativePhase
from paracloud.dialects.slurm.states import accounted_phase, listed_phase
from paracloud.dialects.slurm.text import wall
from paracloud.kit.command import Completed

VERSIONS = ("20.11", "23.11", "24.11", "25.05")
NAME = "scontrol-partitions-nodes"


def of(version):
    return Completed(0, (FOLDER.parent / version / f"{NAME}.stdout").read_bytes(), b"")


@pytest.mark.parametrize("version", VERSIONS)
def test_queues_and_nodes_are_read_alike_whatever_the_version(version):
    assert dialect().queues().parse(of(version)) == dialect().queues().parse(recorded(NAME))
    nodes = of(version).stdout.rpartition(NONCE.encode())[2]
    whole = recorded(NAME).stdout.rpartition(NONCE.encode())[2]
    found, known = (dialect().nodes().parse(Completed(0, text, b"")) for text in (nodes, whole))
    assert [(one.name, one.cores, one.free_cores) for one in found] == [
        (one.name, one.cores, one.free_cores) for one in known
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_ping_names_the_version(version):
    config = of(version).stdout.split(NONCE.encode())[1]
    about = tomllib.loads((FOLDER.parent / version / f"{NAME}.toml").read_text())
    assert dialect().ping().parse(Completed(0, config, b"")) == f"Slurm {about['version']}"


@pytest.mark.parametrize(
    "state",
    ["IDLE+CLOUD+POWERED_DOWN", "IDLE+CLOUD+POWER", "IDLE+DYNAMIC_NORM", "MIXED+CLOUD", "IDLE+NON_EXCL", "IDLE~"],
)
def test_a_node_that_sleeps_or_registered_itself_takes_jobs(state):
    assert _free(state) == 4


@pytest.mark.parametrize(
    "state",
    ["IDLE+BLOCKED", "IDLE+POWERING_DOWN", "DOWN+CLOUD+POWERED_DOWN", "IDLE+INVALID_REG", "IDLE+A_WORD_OF_TOMORROW"],
)
def test_any_other_word_keeps_jobs_away(state):
    assert _free(state) == 0


def _free(state):
    line = f"NodeName=n CPUTot=4 Sockets=1 CoresPerSocket=4 CPUAlloc=0 RealMemory=9 State={state} Partitions=cpu\n"
    (node,) = dialect().nodes().parse(Completed(0, line.encode(), b""))
    return node.free_cores


@pytest.mark.parametrize(
    ("short", "long"),
    [("PD", "PENDING"), ("R", "RUNNING"), ("CG", "COMPLETING"), ("SO", "STAGE_OUT"), ("OOM", "OUT_OF_MEMORY")],
)
def test_a_state_in_its_short_form_is_the_same_state(short, long):
    assert accounted_phase(short) is accounted_phase(long) is not NativePhase.UNKNOWN


def test_a_state_of_a_later_release_is_unknown_never_an_end():
    assert listed_phase("EXPEDITING", "None") is NativePhase.UNKNOWN


def test_a_limit_that_was_not_set_is_none():
    assert wall("NOT_SET") is None

"""What a Grid Engine cell is told, as text, and the networks of its nodes."""

from dataclasses import replace
from pathlib import Path

import pytest

from paralab.gridengine import configuration, network
from paralab.inventory import Centre, Inventory, Partition, SchedulerName
from paralab.lab import NEEDED, programs_for
from paralab.login import sshd_config
from paralab.ports import FIRST, LAST
from paralab.schedulers import scheduler_of
from paralab.site import PORTS_A_CENTRE, Site

CPU = Partition("cpu", 2, 8, 64_000, "2-00:00:00", is_default=True)
GPU = Partition("gpu", 1, 8, 32_000, "00:30:00", gpus=2, gpu_model="a100")
CENTRE = Centre("grid", 3, (CPU, GPU), scheduler=SchedulerName.GRID_ENGINE)
SITE = Site(CENTRE, Path("/lab/grid"), 17_000, 21_000, 100_000, 16_000, "db", "password", "grid1")


def values(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_a_site_comes_back_from_its_file_with_its_scheduler() -> None:
    assert Site.load(SITE.dump()) == SITE


@pytest.mark.parametrize(
    ("limit", "hours"),
    [("2-00:00:00", "48:00:00"), ("00:30:00", "00:30:00"), ("1:05:09", "01:05:09"), ("10-23:59:59", "263:59:59")],
)
def test_a_limit_in_days_is_one_in_hours(limit: str, hours: str) -> None:
    assert configuration.hours(limit) == hours


@pytest.mark.parametrize(("first", "before"), [(100_000, 99_999), (9_999_999, 9_999_998), (10_050_000, 49_999)])
def test_the_first_job_gets_the_number_that_the_centre_begins_with(first: int, before: int) -> None:
    assert configuration.last_job_id(replace(SITE, first_job_id=first)) == before


def test_job_numbers_begin_anew_at_one() -> None:
    assert configuration.last_job_id(replace(SITE, first_job_id=10_000_000)) == 0


def test_the_smallest_fair_share_of_a_core_is_the_memory_of_whoever_asks_for_none() -> None:
    if not configuration.RESOURCES.exists():
        pytest.skip("Grid Engine's own files are not here")
    found = configuration.complexes(SITE)
    memory = values(found["h_vmem"])
    assert (memory["name"], memory["consumable"], memory["default"]) == ("h_vmem", "YES", "4000M")
    assert memory["relop"] == "<=", "what Grid Engine itself says of it"
    assert values(found["gpu"])["consumable"] == "JOB"
    assert list(configuration.complexes(replace(SITE, centre=replace(CENTRE, partitions=(CPU,))))) == ["h_vmem"]


def test_cards_and_memory_stand_at_their_nodes() -> None:
    assert values(configuration.execution_host("gridcpu1", CPU))["complex_values"] == "slots=8,num_proc=8,h_vmem=64000M"
    own = values(configuration.execution_host("gridgpu1", GPU))["complex_values"]
    assert own == "slots=8,num_proc=8,h_vmem=32000M,gpu=2,gpu_model=a100"


def test_a_queue_has_its_partitions_name_nodes_limit_and_a_scratch_folder_on_each() -> None:
    template = "".join(
        f"{name:<20} x\n"
        for name in ("qname", "hostlist", "seq_no", "slots", "pe_list", "tmpdir", "shell", "shell_start_mode",
                     "load_thresholds", "h_rt", "rerun")
    )  # fmt: skip
    queue = values(configuration.cluster_queue(SITE, CPU, template))
    assert (queue["qname"], queue["hostlist"], queue["slots"], queue["h_rt"]) == (
        "cpu",
        "gridcpu1 gridcpu2",
        "8",
        "48:00:00",
    )
    assert queue["tmpdir"] == "/tmp,[gridcpu1=/lab/grid/scratch/gridcpu1],[gridcpu2=/lab/grid/scratch/gridcpu2]"
    assert queue["rerun"] == "x", "what we say nothing of stays"
    other = values(configuration.cluster_queue(SITE, GPU, template))
    assert int(queue["seq_no"]) < int(other["seq_no"]), "a job that names no queue goes to the default one first"


def test_an_attribute_that_grid_engine_does_not_list_is_not_made_up() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        configuration.replaced("slots 1\n", {"nonsense": "2"})


def test_no_two_nodes_count_a_job_by_the_same_groups_nor_by_an_accounts() -> None:
    groups = [values(configuration.node_configuration(index))["gid_range"].split("-") for index in range(64)]
    ranges = [range(int(first), int(last) + 1) for first, last in groups]
    assert len(set().union(*ranges)) == sum(map(len, ranges))
    assert min(one.start for one in ranges) > 21_000 + 1000 * 64


def test_every_centres_hosts_have_addresses_of_their_own_below_one_network() -> None:
    wide = replace(CENTRE, partitions=(replace(CPU, nodes=64),))
    seen: set[str] = set()
    for port in range(FIRST, LAST, PORTS_A_CENTRE):
        lines = network.hosts(replace(SITE, centre=wide, port=port)).splitlines()
        assert lines[0] == "127.0.0.1 localhost"
        assert [line.split()[1] for line in lines[1:3]] == ["grid-login", "gridcpu1"]
        addresses = {line.split()[0] for line in lines[1:]}
        assert len(addresses) == 65
        assert all(one.startswith("198.18.") and max(map(int, one.split("."))) < 255 for one in addresses)
        assert seen.isdisjoint(addresses)
        seen |= addresses


def test_whoever_logs_in_is_led_to_this_cell_and_to_its_commands() -> None:
    variables = scheduler_of(CENTRE).environment(SITE)
    (line,) = [line for line in sshd_config(SITE, variables).splitlines() if line.startswith("SetEnv ")]
    assert line.split()[1:] == [
        "SGE_ROOT=/lab/grid/sge",
        "SGE_CELL=default",
        "SGE_CLUSTER_NAME=grid1",
        "SGE_QMASTER_PORT=17001",
        "SGE_EXECD_PORT=17002",
    ]


def test_only_what_an_inventorys_own_schedulers_need_is_demanded() -> None:
    slurm = replace(CENTRE, name="east", scheduler=SchedulerName.SLURM)
    grid_alone, slurm_alone = (programs_for(Inventory((one,))) for one in (CENTRE, slurm))
    assert {"sge_qmaster", "qconf", "sshd"} <= grid_alone.keys()
    assert {"slurmctld", "mariadbd", "sshd"} <= slurm_alone.keys()
    assert grid_alone.keys() & slurm_alone.keys() == NEEDED.keys()
    assert programs_for(Inventory((CENTRE, slurm))) == {**grid_alone, **slurm_alone}

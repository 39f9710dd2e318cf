"""What a centre's place and configuration decide: ports apart, names apart, parameters that the inventory replaces."""

import os
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from paralab.errors import LabError
from paralab.inventory import Centre, Inventory, Partition, default_inventory
from paralab.lab import _plan, _sweep, folder_of
from paralab.login import account_files, sshd_config
from paralab.ports import FIRST_JOB_ID, JOB_IDS_A_BUILD, LAST_JOB_ID, free_block, next_job_id
from paralab.site import PORTS_A_CENTRE, Site
from paralab.slurm.configuration import gres_conf, slurm_conf


def site(centre: Centre | None = None) -> Site:
    shape = centre or default_inventory().centres[0]
    return Site(shape, Path("/lab/east"), 17_000, 21_000, 100_000, 16_000, "db", "password", "east1")


def test_a_site_comes_back_from_its_file_as_it_was() -> None:
    assert Site.load(site().dump()) == site()


def test_every_daemon_of_the_largest_centre_has_a_port_of_its_own_in_its_block() -> None:
    centre = Centre("east", 1, (Partition("cpu", 64, 1, 1000, "1-00:00:00"),))
    lines = slurm_conf(site(centre)).splitlines()
    ports = [
        int(word[5:]) for line in lines if line.startswith("NodeName=") for word in line.split() if "Port=" in word
    ]
    ports += [17_001, 17_002, site(centre).ssh_port]
    assert len(set(ports)) == 64 + 3
    assert set(ports) <= set(range(17_000, 17_000 + PORTS_A_CENTRE))


def test_a_parameter_of_the_inventory_replaces_ours_however_it_is_written() -> None:
    centre = replace(default_inventory().centres[0], slurm={"messagetimeout": "5", "LaunchParameters": "x"})
    lines = slurm_conf(site(centre)).splitlines()
    assert [line for line in lines if line.lower().startswith("messagetimeout=")] == ["messagetimeout=5"]
    assert "LaunchParameters=x" in lines


def test_cards_have_device_files_and_stand_at_their_nodes_alone() -> None:
    assert gres_conf(site()) == "NodeName=eastgpu1 Name=gpu Type=a100 File=/lab/east/dev/nvidia[0-3]\n"
    nodes = [line for line in slurm_conf(site()).splitlines() if line.startswith("NodeName=")]
    assert [line.split()[0] for line in nodes if "Gres=gpu:a100:4" in line] == ["NodeName=eastgpu1"]


def test_only_the_centres_own_accounts_may_log_in() -> None:
    (allowed,) = [line for line in sshd_config(site(), {}).splitlines() if line.startswith("AllowUsers ")]
    assert allowed.split()[1:] == ["eastsvc", *site().centre.pool]
    added = [line for line in account_files(site())["passwd"].splitlines() if line.startswith("east")]
    assert [line.split(":")[2] for line in added] == [str(21_000 + number) for number in range(17)]


def test_a_block_of_ports_steps_over_one_that_is_listened_on_and_those_that_are_taken() -> None:
    first = free_block(4, set())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", first + 2))
        listener.listen()
        second = free_block(4, set())
        third = free_block(4, {second + 3})
    assert len({first, second, third}) == 3
    assert abs(second - third) >= 4


def test_where_no_block_of_ports_is_free_it_says_so() -> None:
    with pytest.raises(LabError, match="free ports in a row"):
        free_block(200, set(range(16_000, 32_000)))


def test_fresh_centres_take_blocks_of_job_ids_that_nobody_had(tmp_path: Path) -> None:
    file = tmp_path / "next-job-id"
    taken = [next_job_id(file) for _ in range(3)]
    assert taken == [FIRST_JOB_ID, FIRST_JOB_ID + JOB_IDS_A_BUILD, FIRST_JOB_ID + 2 * JOB_IDS_A_BUILD]
    file.write_text(str(LAST_JOB_ID - JOB_IDS_A_BUILD))
    assert [next_job_id(file) for _ in range(2)] == [LAST_JOB_ID - JOB_IDS_A_BUILD, FIRST_JOB_ID]
    file.write_text("half")
    assert next_job_id(file) == FIRST_JOB_ID


def test_centres_of_one_lab_share_no_port_database_cluster_or_account_number(open_folder: Path) -> None:
    cpu = (Partition("cpu", 1, 1, 1000, "1-00:00:00"),)
    centres = tuple(Centre(name, 200, cpu) for name in ("a-b", "ab", "west"))
    (open_folder / "cache" / "mariadb-template").mkdir(parents=True)
    sites = list(_plan(Inventory(centres), open_folder, open_folder / "lab", "lab").values())
    assert len({one.cluster for one in sites}) == len({one.database_name for one in sites}) == 3
    ports = [range(one.port, one.port + PORTS_A_CENTRE) for one in sites]
    assert len(set().union(*ports)) == 3 * PORTS_A_CENTRE
    assert not any(sites[0].database_port in block for block in ports)
    numbers = [range(one.first_uid, one.first_uid + 201) for one in sites]
    assert len(set().union(*numbers)) == 3 * 201
    assert len({one.first_job_id for one in sites}) == 3
    assert (open_folder / "lab/a-b.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "cache", "-x", "a b", "x\n", "中", "n" * 41])
def test_a_name_that_is_no_folder_of_a_lab_is_refused(name: str) -> None:
    with pytest.raises(LabError) as raised:
        folder_of(name, Path("/lab"))
    assert "use letters, digits" in raised.value.en
    assert "请使用" in raised.value.zh


def test_folders_of_killed_labs_go_after_a_day(tmp_path: Path) -> None:
    for name, age_seconds in (("old", 90_000), ("new", 1000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").touch()
        os.utime(tmp_path / name / "plan.json", (time.time() - age_seconds,) * 2)
    (tmp_path / "cache").mkdir()
    _sweep(tmp_path)
    assert {entry.name for entry in tmp_path.iterdir()} == {"new", "cache"}


def test_a_place_that_is_closed_to_the_accounts_is_refused_before_anything_is_made(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(LabError, match="choose another PARALAB_HOME"):
        _plan(default_inventory(), closed, closed / "lab", "lab")
    assert list(closed.iterdir()) == []

"""How what is seen at a centre stands; and what a hostile or broken login node can make of the look at it."""

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.centres.ground import PROGRAMS, Ground, ToolsMissing, look
from paracloud.centres.survey import Level, NodeType, node_types
from paracloud.centres.survey_rules import no_login, of_clock, of_homes, of_paths, of_queues, of_tools
from paracloud.dialects.records import NodeInfo, QueueInfo
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import UnixAccount
from paracloud.transports.failures import LoginRefused

GROUND = Ground(
    now=datetime(2026, 11, 26, 12, tzinfo=UTC), account="hpc1", home="/home/hpc1", mode=0o700, free_bytes=1 << 40,
    bash=(5, 1), system="Linux 6.1", time_zone="Asia/Shanghai", utc_offset=timedelta(hours=8), missing=(),
    writes=True, locks=True,
)  # fmt: skip
QUEUE = QueueInfo(
    name="cpu", is_up=True, is_default=True, nodes=2, cores=64, free_cores=64, free_nodes=2, cores_per_node=32,
    memory_per_node_bytes=1 << 36, gpus_per_node=0, gpu_model=None, free_gpus=0, max_wall=timedelta(days=1),
    max_nodes=None,
)  # fmt: skip


def levels(found) -> list[tuple[str, Level]]:
    return [(one.what, one.level) for one in found]


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, Level.WELL), (-19, Level.WELL), (21, Level.MISSING), (-21, Level.MISSING), (3600, Level.MISSING)],
)
def test_a_clock_that_is_wrong_by_more_than_certificates_bear_is_missing(seconds, level):
    found = of_clock(timedelta(seconds=seconds))
    assert found.level is level
    assert ("behind" in found.en, "慢" in found.zh) == (seconds < -20, seconds < -20)


def test_what_the_login_node_lacks_is_named():
    assert levels(of_tools(GROUND)) == [("programs", Level.WELL)]
    lacks, lacks_bash = of_tools(replace(GROUND, missing=("flock", "base64"), bash=(4, 1)))
    assert lacks.level is Level.MISSING
    assert all(word in lacks.en for word in ("flock", "base64"))
    assert all(word in lacks.zh for word in ("flock", "base64"))
    assert lacks_bash.level is Level.MISSING
    assert "bash is 4.1" in lacks_bash.en


def test_what_only_a_lent_account_lacks_is_said_of_it_and_its_home_is_not_judged():
    homes = {UnixAccount("hpc1"): GROUND, UnixAccount("hpc2"): replace(GROUND, missing=("flock",), locks=False)}
    (found,) = of_paths(homes, replace(GROUND, account="hpcsvc"))
    assert (found.what, found.level) == ("programs", Level.MISSING)
    assert "hpc2" in found.en
    assert "hpc1" not in found.en
    assert "flock" in found.zh
    assert of_paths(homes, replace(GROUND, missing=("flock",))) == []
    assert of_homes({UnixAccount("hpc2"): homes[UnixAccount("hpc2")]}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"mode": 0o750}, [("homes", Level.ADVICE)]),
        ({"free_bytes": 1000}, [("room", Level.ADVICE)]),
        ({"locks": False}, [("locks", Level.MISSING)]),
        ({"writes": False, "locks": False}, [("homes", Level.MISSING)]),
    ],
)
def test_each_home_is_closed_writable_locked_and_has_room(changes, expected):
    assert levels(of_homes({UnixAccount("hpc1"): replace(GROUND, **changes)})) == expected


def test_two_accounts_in_one_home_are_no_two_tenants():
    homes = {UnixAccount("hpc1"): GROUND, UnixAccount("hpc2"): replace(GROUND, account="hpc2")}
    assert levels(of_homes(homes)) == [("homes", Level.MISSING)]


def test_many_at_fault_are_counted_and_the_first_named():
    homes = {UnixAccount(f"hpc{n}"): replace(GROUND, home=f"/home/hpc{n}", mode=0o755) for n in range(9)}
    (found,) = of_homes(homes)
    assert "hpc4 and 4 more" in found.en
    assert "等 9 个" in found.zh


def test_queues_that_are_down_or_empty_are_none_and_an_endless_one_is_told():
    assert levels(of_queues([replace(QUEUE, is_up=False), replace(QUEUE, nodes=0)])) == [("queues", Level.MISSING)]
    assert levels(of_queues([QUEUE])) == [("queues", Level.WELL)]
    endless = of_queues([QUEUE, replace(QUEUE, name="long", max_wall=None)])
    assert levels(endless) == [("queues", Level.WELL), ("limits", Level.ADVICE)]
    assert "long" in endless[1].en


def test_who_refuses_a_login_is_told_what_to_trust_and_who_does_not_answer_is_not():
    refused = no_login(UnixAccount("hpc1"), LoginRefused("It refuses.", "拒绝。"), "ssh-ed25519 AAAA")
    assert 'cert-authority,principals="hpc1" ssh-ed25519 AAAA' in refused.en
    assert "authorized_keys" in refused.zh
    assert "authorized_keys" not in no_login(UnixAccount("hpc1"), Broken("Odd.", "异常。"), "ssh-ed25519 AAAA").en


def test_nodes_that_are_alike_are_one_type():
    node = NodeInfo("n1", "IDLE", 32, 32, (64 << 30) + 5, 0, None, ("cpu",))
    nodes = (node, replace(node, name="n2", memory_bytes=(64 << 30) + 9), replace(node, name="n3", cores=64))
    assert node_types(nodes) == (
        NodeType(2, 32, 64 << 30, 0, None, ("cpu",)),
        NodeType(1, 64, 64 << 30, 0, None, ("cpu",)),
    )


def answer(command, **changes) -> bytes:
    nonce = command.argv[4]
    said = {
        "now": "1795694400.5", "account": "hpc1", "home": "/home/hpc1", "mode": "700", "free_kib": "2048",
        "bash": "5.1", "system": "Linux 6.1", "offset": "-0330", "zone": "America/St_Johns", "missing": "",
        "writes": "yes", "locks": "no",
    } | changes  # fmt: skip
    lines = [f"{nonce} {key} x{value.encode().hex()} ." for key, value in said.items()]
    return "\n".join(["Welcome to the centre!", *lines, ""]).encode()


def test_the_look_is_read_past_whatever_start_up_files_print():
    command = look()
    found = command.parse(Completed(0, answer(command, missing=" flock"), b""))
    assert found == Ground(
        now=datetime.fromtimestamp(1795694400.5, UTC), account="hpc1", home="/home/hpc1", mode=0o700,
        free_bytes=2 << 20, bash=(5, 1), system="Linux 6.1", time_zone="America/St_Johns",
        utc_offset=-timedelta(hours=3, minutes=30), missing=("flock",), writes=True, locks=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{"now": "nan"}, {"now": "9" * 40}, {"mode": "rwx"}, {"bash": ""}, {"offset": "UTC"}, {"free_kib": "-"}]
)
def test_a_value_that_is_none_is_broken_and_says_what_to_do(changes):
    command = look()
    with pytest.raises(Broken, match="bash"):
        command.parse(Completed(0, answer(command, **changes), b""))


def looked(folder: Path, absent: tuple[str, ...]) -> Ground:
    """By bash itself, with a PATH that has all programs but these; nothing of it stays in the home."""
    programs, home = folder / "bin", folder / "家"
    programs.mkdir()
    home.mkdir(mode=0o700)
    for name in set(PROGRAMS) - set(absent):
        (programs / name).symlink_to(str(shutil.which(name)))
    command, bash = look(), str(shutil.which("bash"))
    variables = {"PATH": str(programs), "HOME": str(home)}
    done = subprocess.run([bash, *command.argv[1:]], env=variables, capture_output=True, check=False)
    assert list(home.iterdir()) == []
    return command.parse(Completed(done.returncode, done.stdout, done.stderr))


@pytest.mark.parametrize("absent", [(), ("base64",), ("head",), ("base64", "flock", "head"), ("rm",), ("id",)])
def test_which_programs_are_not_there_is_said_with_all_that_can_be_seen_without_them(tmp_path, absent):
    found = looked(tmp_path, absent)
    assert (set(found.missing), found.home) == (set(absent), str(tmp_path / "家"))


@pytest.mark.parametrize("absent", [("date",), ("df", "stat"), PROGRAMS])
def test_where_nothing_can_be_seen_without_them_they_are_named_all_the_same(tmp_path, absent):
    with pytest.raises(ToolsMissing) as caught:
        looked(tmp_path, absent)
    assert all(name in caught.value.en and name in caught.value.zh for name in absent)


@given(out=st.binary(max_size=400), status=st.integers(-9, 255))
def test_no_answer_of_a_hostile_login_node_breaks_more_than_its_own_reading(out, status):
    with pytest.raises(Broken) as caught:
        look().parse(Completed(status, out, b""))
    assert (caught.value.en + caught.value.zh).isprintable()

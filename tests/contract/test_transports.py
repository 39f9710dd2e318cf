"""What every transport promises, asked of all of them: SSH to a real sshd, this machine, and the recorded one."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.platform_ssh import CENTRE, Stand, open_folder, standing

from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Broken, Forbidden, Invalid, NotFound, TooLarge, Unreachable
from paracloud.kit.identifiers import UnixAccount
from paracloud.transports.local import LocalTransport
from paracloud.transports.recorded import Exchange, RecordedTransport
from paracloud.transports.transport import READ_AT_ONCE_BYTES, Transport, execute

ACCOUNT = UnixAccount("pc01")
HOSTILE = (
    "'",
    '"',
    "a'b\"c`d`$(touch owned)",
    "$HOME ${PATH} ~ * ? [a] {a,b}",
    "; touch owned; #",
    "| tee owned",
    "&& touch owned &",
    "line\nbreak\r\ttab",
    "-rf",
    "--help",
    "\\",
    "\\n%s%n",
    "\x1b[31mred\x07",
    "!!",
    "作业 名",
    "\udcff\udc80",
    "",
    " ",
)
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40) | st.sampled_from(
    HOSTILE
)


@dataclass(frozen=True)
class Machine:
    """A transport, and the home directory that it reaches, where there is one."""

    transport: Transport
    home: Path | None


@pytest.fixture(scope="session")
async def stand() -> AsyncIterator[Stand]:
    async with standing() as stand:
        yield stand


@pytest.fixture(scope="session")
async def ssh(stand: Stand) -> AsyncIterator[Machine]:
    async with stand.reach() as reach:
        transport = await reach.to(CENTRE, ACCOUNT, purpose="user/contract")
        yield Machine(transport, stand.sshd.homes[ACCOUNT])


@pytest.fixture(scope="session")
def local() -> Machine:
    with open_folder() as home:
        yield Machine(LocalTransport(home), home)


@pytest.fixture(params=["ssh", "local"])
def machine(request: pytest.FixtureRequest) -> Machine:
    """Where programs really run."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["ssh", "local", "recorded"])
def files(request: pytest.FixtureRequest) -> Transport:
    return RecordedTransport() if request.param == "recorded" else request.getfixturevalue(request.param).transport


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """A directory for this test alone."""
    return f"files/{abs(hash(request.node.nodeid))}"


class TestRunning:
    async def test_output_errors_and_status_come_back_apart(self, machine: Machine):
        done = await machine.transport.run(("sh", "-c", "cat; echo oops >&2; exit 3"), stdin=b"in\0put")
        assert done == Completed(3, b"in\0put", b"oops\n")

    async def test_a_command_starts_in_the_home_directory(self, machine: Machine):
        done = await machine.transport.run(("pwd", "-P"))
        assert done.stdout.decode().strip() == str(machine.home)

    async def test_a_program_that_is_not_there_ends_with_127(self, machine: Machine):
        assert (await machine.transport.run(("no-such-program",))).exit_status == 127

    async def test_a_signal_is_a_negative_status(self, machine: Machine):
        done = await machine.transport.run(("bash", "-c", "kill -TERM $$"))
        assert done.exit_status == -signal.SIGTERM

    async def test_a_shell_builtin_is_not_a_program(self, machine: Machine):
        assert (await machine.transport.run(("shopt",))).exit_status == 127

    @pytest.mark.parametrize("argv", [(), ("",), ("-c", "true"), ("echo", "a\0b")])
    async def test_what_no_program_can_be_given_is_refused(self, machine: Machine, argv: tuple[str, ...]):
        with pytest.raises(Invalid):
            await machine.transport.run(argv)

    async def test_input_that_nobody_wants_is_no_error(self, machine: Machine):
        done = await machine.transport.run(("true",), stdin=b"x" * 5_000_000)
        assert done.exit_status == 0

    async def test_much_input_and_much_output_at_once_do_not_wait_for_each_other(self, machine: Machine):
        content = os.urandom(1 << 20) * 8
        done = await machine.transport.run(("cat",), stdin=content)
        assert done.stdout == content

    async def test_output_of_exactly_the_limit_is_whole(self, machine: Machine):
        done = await machine.transport.run(("head", "-c", "100000", "/dev/zero"), limit_bytes=100_000)
        assert len(done.stdout) == 100_000
        assert not done.truncated

    async def test_a_byte_more_than_the_limit_is_cut(self, machine: Machine):
        done = await machine.transport.run(("head", "-c", "100001", "/dev/zero"), limit_bytes=100_000)
        assert len(done.stdout) == 100_000
        assert done.truncated

    @pytest.mark.parametrize("redirection", ["", " >&2"])
    async def test_endless_output_is_cut_and_its_command_stopped(self, machine: Machine, redirection: str):
        script = f"echo $$ > endless; exec cat /dev/zero{redirection}"
        done = await machine.transport.run(("sh", "-c", script), limit_bytes=1 << 20)
        assert done.truncated
        assert len(done.stdout) + len(done.stderr) == 1 << 20
        await gone(machine.transport, "endless")

    async def test_a_command_that_takes_too_long_is_unreachable_and_stopped(self, machine: Machine):
        script = "echo $$ > slow; exec sleep 1000"
        with pytest.raises(Unreachable):
            await machine.transport.run(("sh", "-c", script), timeout=timedelta(seconds=1))
        await gone(machine.transport, "slow")

    async def test_a_caller_that_gives_up_stops_its_command(self, machine: Machine):
        script = "echo $$ > left; exec sleep 1000"
        task = asyncio.create_task(machine.transport.run(("sh", "-c", script), timeout=timedelta(seconds=100)))
        await there(machine.transport, "left")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone(machine.transport, "left")

    async def test_many_commands_at_once_all_get_their_own_answer(self, machine: Machine):
        answers = await asyncio.gather(*(machine.transport.run(("echo", str(number))) for number in range(40)))
        assert [int(answer.stdout) for answer in answers] == list(range(40))


class TestReading:
    @pytest.mark.parametrize(("size", "is_apart"), [(1000, False), (READ_AT_ONCE_BYTES + 1, True)])
    async def test_a_long_answer_is_read_apart_from_the_loop(self, machine: Machine, size: int, is_apart: bool):
        def parse(completed: Completed) -> bool:
            assert len(completed.stdout) == size
            return threading.current_thread() is not threading.main_thread()

        assert await execute(machine.transport, Command(("head", "-c", str(size), "/dev/zero"), parse)) is is_apart


class TestQuoting:
    @pytest.mark.parametrize("word", HOSTILE)
    async def test_a_hostile_word_comes_back_byte_for_byte(self, machine: Machine, word: str):
        done = await machine.transport.run(("printf", "%s\\0", word))
        assert done.stdout == word.encode("utf-8", "surrogateescape") + b"\0"

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(WORDS, min_size=1, max_size=6))
    async def test_any_words_come_back_byte_for_byte(self, machine: Machine, words: list[str]):
        done = await machine.transport.run(("printf", "%s\\0", *words))
        assert done.stdout == b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)

    async def test_no_hostile_word_did_anything(self, machine: Machine):
        await machine.transport.run(("printf", "%s\\0", *HOSTILE))
        assert machine.home is not None
        assert not (machine.home / "owned").exists()


class TestFiles:
    async def test_what_was_written_is_read_with_its_parents_made(self, files: Transport, place: str):
        await files.write(f"{place}/deep/er/file", b"content")
        assert await files.read(f"{place}/deep/er/file", limit_bytes=100) == b"content"

    async def test_a_second_write_replaces_the_first_and_leaves_nothing_beside_it(self, files: Transport, place: str):
        await files.write(f"{place}/file", b"the first one, which is longer")
        await files.write(f"{place}/file", b"second")
        assert await files.read(f"{place}/file", limit_bytes=100) == b"second"
        assert [entry.name for entry in await files.list(place)] == ["file"]

    async def test_a_part_is_read_from_where_it_was_asked(self, files: Transport, place: str):
        await files.write(f"{place}/file", bytes(range(100)))
        assert await files.read(f"{place}/file", start=90, limit_bytes=5) == bytes(range(90, 95))
        assert await files.read(f"{place}/file", start=90, limit_bytes=50) == bytes(range(90, 100))
        assert await files.read(f"{place}/file", start=100, limit_bytes=50) == b""
        assert await files.read(f"{place}/file", start=5000, limit_bytes=50) == b""

    async def test_many_megabytes_are_written_and_read_whole(self, files: Transport, place: str):
        content = os.urandom(9_000_001)
        await files.write(f"{place}/big", content)
        assert await files.read(f"{place}/big", limit_bytes=20_000_000) == content

    async def test_a_missing_file_or_directory_is_not_found(self, files: Transport, place: str):
        with pytest.raises(NotFound):
            await files.read(f"{place}/nothing", limit_bytes=1)
        with pytest.raises(NotFound):
            await files.list(f"{place}/nothing")
        with pytest.raises(NotFound):
            await drained(files.pull(f"{place}/nothing", Path("/var/tmp/never")))

    async def test_a_directory_is_no_file(self, files: Transport, place: str):
        await files.write(f"{place}/file", b"")
        with pytest.raises(Invalid):
            await files.read(place, limit_bytes=1)

    async def test_a_listing_tells_files_from_directories(self, files: Transport, place: str):
        await files.write(f"{place}/file", b"12345")
        await files.write(f"{place}/directory/file", b"")
        entries = {entry.name: entry for entry in await files.list(place)}
        assert set(entries) == {"file", "directory"}
        assert (entries["file"].size_bytes, entries["file"].is_directory) == (5, False)
        assert entries["directory"].is_directory
        assert entries["file"].modified_at.tzinfo is UTC

    async def test_a_directory_with_more_entries_than_asked_for_is_too_large(self, files: Transport, place: str):
        for name in ("one", "two", "three"):
            await files.write(f"{place}/{name}", b"")
        assert len(await files.list(place, limit=3)) == 3
        with pytest.raises(TooLarge, match="more than 2 entries"):
            await files.list(place, limit=2)

    @pytest.mark.parametrize("name", [word for word in HOSTILE if word and word != "/"])
    async def test_a_hostile_name_is_a_name(self, files: Transport, place: str, name: str):
        await files.write(f"{place}/{name}", b"mine")
        assert await files.read(f"{place}/{name}", limit_bytes=10) == b"mine"
        assert name in [entry.name for entry in await files.list(place)]
        await files.remove(f"{place}/{name}")
        assert name not in [entry.name for entry in await files.list(place)]

    async def test_the_longest_name_can_be_written(self, files: Transport, place: str):
        await files.write(f"{place}/{'n' * 255}", b"x")
        assert await files.read(f"{place}/{'n' * 255}", limit_bytes=1) == b"x"

    @pytest.mark.parametrize("path", ["", "a\0b"])
    async def test_a_path_that_is_none_is_refused(self, files: Transport, path: str):
        for step in (files.read(path, limit_bytes=1), files.write(path, b""), files.list(path), files.remove(path)):
            with pytest.raises(Invalid):
                await step

    async def test_removing_what_is_gone_is_success(self, files: Transport, place: str):
        await files.remove(f"{place}/nothing")
        await files.remove(f"{place}/nothing", tree=True)

    async def test_a_directory_goes_only_as_a_tree(self, files: Transport, place: str):
        await files.write(f"{place}/tree/a/b", b"")
        with pytest.raises(Broken):
            await files.remove(f"{place}/tree")
        await files.remove(f"{place}/tree", tree=True)
        with pytest.raises(NotFound):
            await files.list(f"{place}/tree")

    @pytest.mark.parametrize("path", [".", "/", "./", "a/..", "..", "../other", "//"])
    async def test_home_and_what_is_above_it_are_never_removed(self, files: Transport, path: str):
        with pytest.raises(Invalid):
            await files.remove(path, tree=True)


class TestLinks:
    async def test_removing_a_tree_does_not_follow_a_link_out_of_it(self, machine: Machine, place: str):
        transport = machine.transport
        await transport.write(f"{place}/outside/precious", b"kept")
        await transport.write(f"{place}/tree/file", b"")
        await transport.run(("ln", "-s", "../outside", f"{place}/tree/link"))
        await transport.remove(f"{place}/tree", tree=True)
        assert await transport.read(f"{place}/outside/precious", limit_bytes=10) == b"kept"

    @pytest.mark.parametrize("slash", ["", "/"])
    async def test_removing_a_link_as_a_tree_takes_the_link_alone(self, machine: Machine, place: str, slash: str):
        transport = machine.transport
        await transport.write(f"{place}/outside/precious", b"kept")
        await transport.run(("ln", "-s", "outside", f"{place}/link"))
        await transport.remove(f"{place}/link{slash}", tree=True)
        assert [entry.name for entry in await transport.list(place)] == ["outside"]
        assert await transport.read(f"{place}/outside/precious", limit_bytes=10) == b"kept"

    async def test_a_link_to_a_directory_is_listed_as_no_directory(self, machine: Machine, place: str):
        await machine.transport.write(f"{place}/directory/file", b"")
        await machine.transport.run(("ln", "-s", "directory", f"{place}/link"))
        entries = {entry.name: entry.is_directory for entry in await machine.transport.list(place)}
        assert entries == {"directory": True, "link": False}

    async def test_a_pipe_keeps_nobody_waiting(self, machine: Machine, place: str):
        await machine.transport.write(f"{place}/file", b"")
        await machine.transport.run(("mkfifo", f"{place}/pipe"))
        with pytest.raises(Invalid):
            await machine.transport.read(f"{place}/pipe", limit_bytes=1)
        with pytest.raises(Invalid):
            await machine.transport.read("/dev/zero", limit_bytes=1)


class TestModes:
    @pytest.mark.parametrize("mode", [0o600, 0o700, 0o644])
    async def test_a_file_has_the_mode_that_was_asked_and_its_new_parents_are_closed(
        self, machine: Machine, place: str, mode: int
    ):
        await machine.transport.write(f"{place}/new/file", b"", mode=mode)
        assert machine.home is not None
        assert (machine.home / place / "new/file").stat().st_mode & 0o7777 == mode
        assert (machine.home / place / "new").stat().st_mode & 0o7777 == 0o700

    async def test_what_the_file_system_forbids_is_forbidden(self, ssh: Machine):
        with pytest.raises(Forbidden):
            await ssh.transport.read("/etc/shadow", limit_bytes=1)
        with pytest.raises(Forbidden):
            await ssh.transport.write("/etc/paracloud-test", b"")
        with pytest.raises(Forbidden):
            await ssh.transport.list("../pc02")
        with pytest.raises(Forbidden):
            await ssh.transport.remove("/etc/passwd")

    async def test_a_write_that_cannot_be_placed_changes_nothing(self, machine: Machine, place: str):
        await machine.transport.write(f"{place}/file", b"old")
        await machine.transport.write(f"{place}/directory/file", b"old")
        for path in (f"{place}/file/below", f"{place}/directory", f"{place}/{'n' * 256}"):
            with pytest.raises((Broken, NotFound)):
                await machine.transport.write(path, b"new")
        assert await machine.transport.read(f"{place}/file", limit_bytes=10) == b"old"
        assert {entry.name for entry in await machine.transport.list(place)} == {"file", "directory"}


class TestCopies:
    @pytest.mark.parametrize("size", [0, 1, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 11_000_003])
    async def test_a_file_goes_there_and_back_whole(self, files: Transport, place: str, tmp_path: Path, size: int):
        source, target = tmp_path / "source", tmp_path / "new/target"
        source.write_bytes(os.urandom(size))
        pushed = await drained(files.push(source, f"{place}/deep/copy"))
        pulled = await drained(files.pull(f"{place}/deep/copy", target))
        assert target.read_bytes() == source.read_bytes()
        assert pushed == sorted(set(pushed))
        assert (pushed[-1], pulled[-1]) == (size, size)
        assert [entry.name for entry in await files.list(f"{place}/deep")] == ["copy"]
        assert [path.name for path in target.parent.iterdir()] == ["target"]

    async def test_a_copy_that_stops_half_way_leaves_the_old_file(self, machine: Machine, place: str, tmp_path: Path):
        source = tmp_path / "source"
        source.write_bytes(os.urandom(9 << 20))
        await machine.transport.write(f"{place}/copy", b"old")
        copying = machine.transport.push(source, f"{place}/copy")
        await anext(copying)
        await copying.aclose()
        assert await machine.transport.read(f"{place}/copy", limit_bytes=10) == b"old"
        await drained(machine.transport.push(source, f"{place}/copy"))
        assert await machine.transport.read(f"{place}/copy", limit_bytes=1 << 24) == source.read_bytes()

    async def test_two_copies_of_one_file_at_once_end_well(self, machine: Machine, place: str, tmp_path: Path):
        source, target = tmp_path / "source", tmp_path / "target"
        source.write_bytes(os.urandom(9 << 20))
        await asyncio.gather(*(drained(machine.transport.push(source, f"{place}/copy")) for _ in range(3)))
        await asyncio.gather(*(drained(machine.transport.pull(f"{place}/copy", target)) for _ in range(3)))
        assert target.read_bytes() == source.read_bytes()


class TestRecorded:
    async def test_a_command_is_played_once_and_then_is_not_known(self):
        transport = RecordedTransport([Exchange(("squeue",), Completed(0, b"out", b""))])
        assert (await transport.run(("squeue",))).stdout == b"out"
        with pytest.raises(Broken):
            await transport.run(("squeue",))

    async def test_a_broken_line_is_played_as_one(self):
        with pytest.raises(Unreachable):
            await RecordedTransport([Exchange(("sbatch",), None, b"in")]).run(("sbatch",), stdin=b"in")

    async def test_the_limit_counts_for_what_is_played(self):
        transport = RecordedTransport([Exchange(("squeue",), Completed(0, b"12345", b"67"))])
        done = await transport.run(("squeue",), limit_bytes=5)
        assert (done.stdout, done.stderr, done.truncated) == (b"12345", b"", True)


async def drained(progress: AsyncIterator[int]) -> list[int]:
    return [done async for done in progress]


async def there(transport: Transport, pid_file: str) -> None:
    async with asyncio.timeout(20):
        while not await _says(transport, ("test", "-s", pid_file)):
            await asyncio.sleep(0.05)


async def gone(transport: Transport, pid_file: str) -> None:
    """The process that wrote its id there ends."""
    pid = (await transport.read(pid_file, limit_bytes=20)).decode().strip()
    async with asyncio.timeout(20):
        while await _says(transport, ("test", "-d", f"/proc/{pid}")):
            await asyncio.sleep(0.05)
    await transport.remove(pid_file)


async def _says(transport: Transport, argv: tuple[str, ...]) -> bool:
    return (await transport.run(argv)).exit_status == 0

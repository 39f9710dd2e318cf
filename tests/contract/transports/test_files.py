"""What every transport promises of files: SSH to a real sshd, this machine, and the recorded one."""

import os
from datetime import UTC
from pathlib import Path

import pytest
from tests.contract.transports.machine import HOSTILE, Machine, drained

from paracloud.kit.errors import Broken, Forbidden, Invalid, NotFound, TooLarge
from paracloud.transports.transport import Transport


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

"""What every transport promises of copies, and what the recorded one plays."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.contract.transports.machine import Machine, drained

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Unreachable
from paracloud.transports.recorded import Exchange, RecordedTransport
from paracloud.transports.transport import Transport


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

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from paracloud.data.blobs import Blobs
from paracloud.data.browse import ENTRIES_MOST, list_files, read_file
from paracloud.data.place import SMALL_BYTES, stage_in
from paracloud.jobs.spec import InputFile
from paracloud.kit.errors import Invalid, NotFound, TooLarge
from paracloud.kit.identifiers import BlobId
from paracloud.transports.local import LocalTransport

WORK = "paracloud/4711"


async def put(blobs: Blobs, path: str, content: bytes, *, is_executable: bool = False) -> InputFile:
    async def once() -> AsyncIterator[bytes]:
        yield content

    blob = await blobs.put(once())
    return InputFile(path, blob.id, blob.size_bytes, is_executable)


async def test_inputs_are_laid_into_the_work_directory_and_again_without_harm(tmp_path: Path):
    blobs, home = Blobs(tmp_path / "blobs"), tmp_path / "home"
    home.mkdir()
    inputs = [
        await put(blobs, "in.melt", b"units lj\n"),
        await put(blobs, "tools/$(x) 'run'", b"#!/bin/sh\n", is_executable=True),
        await put(blobs, "data/large 中", b"x" * (SMALL_BYTES + 1)),
        await put(blobs, "bin/large", b"y" * (SMALL_BYTES + 1), is_executable=True),
    ]
    for _ in range(2):
        await stage_in(LocalTransport(home), blobs, inputs, WORK)
    for one in inputs:
        path = home / WORK / one.path
        assert hashlib.sha256(path.read_bytes()).hexdigest() == one.blob
        assert path.stat().st_mode & 0o777 == (0o700 if one.is_executable else 0o600)
    assert sum(path.is_file() for path in home.rglob("*")) == len(inputs)


async def test_an_input_whose_bytes_are_gone_is_not_found(tmp_path: Path):
    blobs = Blobs(tmp_path / "blobs")
    with pytest.raises(NotFound):
        await stage_in(LocalTransport(tmp_path), blobs, [InputFile("a", BlobId("a" * 64), 1)], WORK)


async def test_a_log_is_read_from_where_the_reader_stopped(tmp_path: Path):
    (tmp_path / WORK).mkdir(parents=True)
    (tmp_path / WORK / "slurm-7.out").write_bytes(b"0123456789")
    transport = LocalTransport(tmp_path)
    assert await read_file(transport, WORK, "slurm-7.out", limit_bytes=4) == b"0123"
    assert await read_file(transport, WORK, "slurm-7.out", start=4) == b"456789"
    assert await read_file(transport, WORK, "slurm-7.out", start=10) == b""
    with pytest.raises(NotFound):
        await read_file(transport, WORK, "nothing")


@pytest.mark.parametrize("path", ["..", "../4712/x", "/etc/passwd", "a/../../x", "a\n"])
async def test_no_path_leaves_the_work_directory(tmp_path: Path, path: str):
    transport = LocalTransport(tmp_path)
    with pytest.raises(Invalid):
        await read_file(transport, WORK, path)
    with pytest.raises(Invalid):
        await list_files(transport, WORK, path)


async def test_a_hostile_name_is_listed_without_its_control_characters(tmp_path: Path):
    (tmp_path / WORK / "out").mkdir(parents=True)
    (tmp_path / WORK / "a\x1b[31mb").write_bytes(b"1")
    (tmp_path / WORK / "log 中").write_bytes(b"12")
    shown = await list_files(LocalTransport(tmp_path), WORK)
    assert all(one.name.isprintable() for one in shown)
    assert {one.name: (one.is_exact, one.size_bytes) for one in shown if not one.is_directory} == {
        "a\N{REPLACEMENT CHARACTER}[31mb": (False, 1),
        "log 中": (True, 2),
    }
    assert [one.name for one in shown if one.is_directory] == ["out"]


async def test_a_directory_without_end_is_too_large_to_list(tmp_path: Path):
    crowd = tmp_path / WORK
    crowd.mkdir(parents=True)
    for number in range(ENTRIES_MOST + 1):
        (crowd / str(number)).touch()
    with pytest.raises(TooLarge, match="subdirectories"):
        await list_files(LocalTransport(tmp_path), WORK)
    (crowd / "0").unlink()
    assert len(await list_files(LocalTransport(tmp_path), WORK)) == ENTRIES_MOST

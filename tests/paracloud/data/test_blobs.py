import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.paracloud.jobs.world import START, open_world, person

from paracloud.data.blobs import Blobs
from paracloud.data.keep import keep, missing, require_held
from paracloud.kit.database import Database
from paracloud.kit.errors import Invalid, NotFound, TooLarge
from paracloud.kit.identifiers import BlobId


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def sha(content: bytes) -> BlobId:
    return BlobId(hashlib.sha256(content).hexdigest())


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_bytes_are_kept_under_their_own_hash(tmp_path):
    blobs = Blobs(tmp_path)
    blob = await blobs.put(chunks(b"in", b".melt"), expected=sha(b"in.melt"))
    assert (blob.id, blob.size_bytes) == (sha(b"in.melt"), 7)
    assert blobs.path(blob.id).read_bytes() == b"in.melt"
    assert blobs.path(blob.id).stat().st_mode & 0o077 == 0


async def test_what_is_too_large_or_not_what_was_announced_leaves_nothing(tmp_path):
    blobs = Blobs(tmp_path, limit_bytes=5)
    with pytest.raises(TooLarge):
        await blobs.put(chunks(b"123", b"456"))
    with pytest.raises(Invalid, match="SHA-256"):
        await blobs.put(chunks(b"123"), expected=sha(b"124"))
    assert everything(tmp_path) == []


async def test_an_upload_that_breaks_off_leaves_nothing(tmp_path):
    async def broken() -> AsyncIterator[bytes]:
        yield b"123"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await Blobs(tmp_path).put(broken())
    assert everything(tmp_path) == []


async def test_the_same_bytes_sent_at_the_same_time_are_kept_once(tmp_path):
    blobs = Blobs(tmp_path)
    both = await asyncio.gather(*(blobs.put(chunks(b"same")) for _ in range(8)))
    assert {blob.id for blob in both} == {sha(b"same")}
    assert len(everything(tmp_path)) == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 64 + "\n"])
async def test_a_name_that_is_no_hash_is_no_path(tmp_path, name):
    with pytest.raises(Invalid):
        Blobs(tmp_path).path(BlobId(name))


async def test_bytes_that_are_not_there_are_not_found(tmp_path):
    with pytest.raises(NotFound):
        Blobs(tmp_path).path(sha(b"x"))


async def test_a_projects_files_are_its_own_even_for_who_knows_the_hash(database: Database, tmp_path):
    world = await open_world(database)
    blob = await Blobs(tmp_path).put(chunks(b"secret"))
    async with database.begin() as session:
        other, stranger = await person(session, "wang")
        for _ in range(2):
            await keep(session, world.caller, world.project, blob, START)
        assert await missing(session, world.caller, world.project, [blob.id, sha(b"x")]) == (sha(b"x"),)
        assert await missing(session, stranger, other, [blob.id]) == (blob.id,)
        assert await require_held(session, world.project, [blob.id]) == {blob.id: 6}
        with pytest.raises(Invalid, match="not uploaded"):
            await require_held(session, other, [blob.id])
        for attempt in (
            keep(session, stranger, world.project, blob, START),
            missing(session, stranger, world.project, [blob.id]),
        ):
            with pytest.raises(NotFound):
                await attempt

"""Files of this machine, with the promises of the transport: whole or not at all, and errors in our words."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial as bound
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO, TypeVar

from paracloud.transports.failures import (
    changed_meanwhile,
    file_system_says,
    no_such_file,
    not_a_file,
    not_allowed,
    too_large_here,
    too_many_entries,
)
from paracloud.transports.transport import FileInfo

CHUNK_BYTES = 4 << 20
SPARE_BYTES = 256 << 20
"""What a copy leaves free on the disk it goes to."""
T = TypeVar("T")


async def in_thread(act: Callable[[], T]) -> T:
    with _file_errors():
        return await asyncio.to_thread(act)


def write_whole(target: Path, content: bytes, mode: int) -> None:
    partial = beside(target)
    try:
        with _create(partial, mode) as file:
            file.write(content)
        partial.rename(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read_part(path: Path, start: int, limit_bytes: int) -> bytes:
    with open_regular(path) as file:
        return os.pread(file.fileno(), limit_bytes, start)


def listed(directory: Path, limit: int) -> list[FileInfo]:
    found: list[FileInfo] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if len(found) == limit:
                raise too_many_entries(limit)
            with suppress(FileNotFoundError):  # removed since the directory was read
                status = entry.stat(follow_symlinks=False)
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                found.append(FileInfo(entry.name, status.st_size, S_ISDIR(status.st_mode), modified))
    return found


async def copied(source: Path, target: Path) -> AsyncIterator[int]:
    """Yields bytes done. A repeat begins anew: on one machine that is cheap."""
    done, partial = 0, None
    with await in_thread(lambda: open_regular(source)) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            partial = await in_thread(lambda: beside(target))
            refuse_beyond_free_space(partial.parent, size)
            with await in_thread(lambda: _create(partial, 0o600)) as sink:
                while done < size:
                    done += await in_thread(bound(_copy_chunk, file, sink, size - done))
                    if done < size:
                        yield done
            await in_thread(lambda: partial.rename(target))
        finally:
            if partial is not None:
                partial.unlink(missing_ok=True)
    yield done


def open_regular(path: Path) -> BinaryIO:
    """Never opens a pipe or a device, which could keep us waiting for ever."""
    if not S_ISREG(path.stat().st_mode):
        raise not_a_file()
    return path.open("rb")


def beside(target: Path) -> Path:
    """A name in the target's directory, which is made; of fixed length, since the target's may be the longest."""
    missing = [parent for parent in target.parents if not parent.is_dir()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o700, exist_ok=True)
    return target.with_name(f".paracloud-{token_hex(8)}.partial")


def refuse_beyond_free_space(folder: Path, size_bytes: int) -> None:
    if size_bytes + SPARE_BYTES > shutil.disk_usage(folder).free:
        raise too_large_here(size_bytes)


def _copy_chunk(source: BinaryIO, sink: BinaryIO, left_bytes: int) -> int:
    chunk = source.read(min(CHUNK_BYTES, left_bytes))
    if not chunk:
        raise changed_meanwhile()
    return sink.write(chunk)


def _create(path: Path, mode: int) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.fchmod(descriptor, mode)
    return os.fdopen(descriptor, "wb")


@contextmanager
def _file_errors() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise no_such_file() from error
    except PermissionError as error:
        raise not_allowed() from error
    except OSError as error:
        raise file_system_says(str(error)) from error

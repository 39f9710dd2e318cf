"""Bytes on this machine's disk under the name of their SHA-256: whole or not at all, never changed afterwards."""

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from paracloud.kit.errors import Invalid, NotFound, TooLarge
from paracloud.kit.identifiers import BlobId

BLOB_LIMIT_BYTES = 16 << 30
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Blob:
    id: BlobId
    size_bytes: int


class Blobs:
    """A folder of blobs, mode 0700. Several processes may share it."""

    def __init__(self, folder: Path, *, limit_bytes: int = BLOB_LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        (folder / "new").mkdir(parents=True, exist_ok=True, mode=0o700)

    async def put(
        self, content: AsyncIterable[bytes], *, expected: BlobId | None = None, room_bytes: int | None = None
    ) -> Blob:
        """TooLarge past the limit, or past `room_bytes`, which is what its project may still keep; Invalid where the
        bytes are not the expected ones; nothing is kept then."""
        temporary = self._folder / "new" / secrets.token_hex(16)
        try:
            blob = await self._receive(temporary, content, room_bytes)
            if expected is not None and blob.id != expected:
                raise Invalid(
                    "What arrived is not what was announced (its SHA-256 differs); send the file again.",
                    "收到的内容与声明的不一致（SHA-256 不同），请重新上传。",
                    field="sha256",
                )
            await asyncio.to_thread(self._move, temporary, blob.id)
        finally:
            temporary.unlink(missing_ok=True)
        return blob

    def path(self, blob: BlobId) -> Path:
        """Where its bytes are; NotFound where there are none."""
        path = self._place(blob)
        if not path.is_file():
            raise NotFound(
                f"The uploaded file {blob[:12]}… is not here any more; upload it again.",
                f"已上传的文件 {blob[:12]}… 不存在，请重新上传。",
            )
        return path

    def _place(self, blob: BlobId) -> Path:
        if not _NAME.fullmatch(blob):
            raise Invalid(
                "A file is named by 64 hexadecimal digits, its SHA-256.",
                "文件以 64 位十六进制的 SHA-256 命名。",
                field="sha256",
            )
        return self._folder / blob[:2] / blob

    async def _receive(self, temporary: Path, content: AsyncIterable[bytes], room_bytes: int | None) -> Blob:
        digest, size = hashlib.sha256(), 0
        file = await asyncio.to_thread(_create, temporary)
        try:
            async for chunk in content:
                size += len(chunk)
                if size > self._limit_bytes:
                    raise TooLarge(
                        f"A file may have at most {self._limit_bytes} bytes.",
                        f"单个文件最多 {self._limit_bytes} 字节。",
                        field="content",
                    )
                if room_bytes is not None and size > room_bytes:
                    raise TooLarge(
                        f"The project may keep {max(room_bytes, 0)} more bytes; ask the operator for more room.",
                        f"该课题组还可存放 {max(room_bytes, 0)} 字节；如需更多空间请联系运营者。",
                        field="content",
                    )
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(_sync, file)
        finally:
            file.close()
        return Blob(BlobId(digest.hexdigest()), size)

    def _move(self, temporary: Path, blob: BlobId) -> None:
        place = self._place(blob)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        temporary.rename(place)
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())

"""A job's profile as files of a folder here, which keep up with it: `paramon show`, `top` and `export` open them."""

import os
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from paracloud.client.client import Client
from paracloud.wire.profiles import PieceModel, ProfileFileModel, ProfileFilesModel
from paramon.facts.running import cut_off
from paramon.sample.errors import Damaged
from paramon.sample.profile import LIVE, SUFFIX, NodeProfile


@dataclass(slots=True)
class Some:
    """Files as the server gives them at once: those behind the ones before, to `until`; the last are all that follow.
    What comes between them later is told of with them, so that no cursor is asked for a file that another one knows."""

    until: str = ""
    cursor: str = ""


class ProfileCopy:
    """`look` for what is new. `folder` is there already."""

    def __init__(self, client: Client, job: UUID, folder: Path, *, task: int | None = None) -> None:
        """`task`: of an array, which one."""
        self._client, self._job, self._folder, self._task = client, job, folder, task
        self._all = [Some()]

    def look(self) -> None:
        """ApiError where there is no profile (yet), OSError where it cannot be written here."""
        after = ""
        for at, some in enumerate(self._all):  # it grows meanwhile
            before = some.cursor
            news = self._take(some, after)
            last = max((one.file for one in news.files), default=after)
            if news.left_out and last > after:
                self._all.insert(at + 1, Some(some.until, before))
                some.until = last
            after = some.until

    def close(self) -> None:
        """The job has ended: what has no end by now was cut off, however lately it was written."""
        for path in self._folder.glob(f"*{SUFFIX}"):
            try:
                cut_off(NodeProfile(str(path)))
            except Damaged:
                continue  # its head is not there, so it is none that could go on

    def _take(self, some: Some, after: str) -> ProfileFilesModel:
        """All that is there now, of some files."""
        while True:
            news = self._client.profile_files(
                self._job, since=some.cursor, task=self._task, after=after, until=some.until
            )
            for one in news.files:
                if "/" not in one.file:  # the name is the centre's: it does not lead elsewhere
                    self._write(one)
            some.cursor = news.cursor
            if not any(one.is_behind and (one.written.content or one.open_minute.content) for one in news.files):
                return news

    def _write(self, one: ProfileFileModel) -> None:
        """The file first: who reads here finds a minute there before its ticks are gone. When it was written at the
        centre tells whether it still is."""
        for name, piece in ((one.file, one.written), (one.file + LIVE, one.open_minute)):
            path = self._folder / name
            _put(path, piece)
            if path.exists():
                os.utime(path, (one.written_at.timestamp(),) * 2)


def _put(path: Path, piece: PieceModel) -> None:
    if not piece.start and not piece.content:
        path.unlink(missing_ok=True)
        return
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(piece.start)
        file.seek(piece.start)
        file.write(b64decode(piece.content))

"""Where a node's samples are written: a file that only grows, and beside it the open minute.

A minute is written when it is full. Until then its ticks lie in a second file of their own, so that who looks on is
seconds behind, and whatever is killed costs seconds at most. Where the disk is full or the folder is gone, minutes wait
in memory and are tried again; so do those that a disk took and then could not keep, as NFS tells of a quota. When too
many wait, the oldest is given up, and the profile says how many.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Sequence
from typing import Any, NamedTuple

from paramon.sample.chunk import ChunkWriter
from paramon.sample.frames import CHUNK, END, HEADER, PROCESSES, TICK, frame
from paramon.sample.profile import LIVE, SUFFIX, Process

WAITING_MOST = 4 << 20
"""Bytes that wait for a disk."""
UNSURE_MOST = 256 << 10
"""Bytes that were written since the disk was last asked whether it has all."""
FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
"""No link is followed, and no pipe waited for: where anything is there by that name it fails (open(2))."""

NO_FLUSH = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""Of file systems that know none."""


class Modes(NamedTuple):
    """Of what is made: a folder and files in it; the umask takes away from both."""

    folder: int
    file: int


AS_USUAL, PRIVATE = Modes(0o755, 0o644), Modes(0o700, 0o600)
"""A job's own profile is read by whom its user lets; what holds the command lines of all users by nobody else."""


class Spool:
    """`folder` is made where it is missing. `name`: of the file, such as a node's name and the start in milliseconds.
    OSError where it cannot be begun: who asks for a profile is told at once."""

    def __init__(self, folder: str, name: str, header: dict[str, Any], modes: Modes = AS_USUAL) -> None:
        self._modes = modes
        self._folder, self._path = folder, os.path.join(folder, name + SUFFIX)
        self._waiting: list[bytes] = []
        self._unsure: list[bytes] = []
        """Written, and not known to be on the disk; they begin at `_good_bytes` of the file."""
        self._waiting_bytes = self._unsure_bytes = self._good_bytes = 0
        self._is_doubtful = False
        """Nobody knows what the file has from there on."""
        self.given_up = 0
        """Frames that were lost because nothing could be written for too long."""
        self.trouble = ""
        """Why nothing can be written now; empty where all is well."""
        self.written_bytes = 0
        self.chunk = ChunkWriter()
        self._is_another = False
        os.makedirs(folder, mode=modes.folder, exist_ok=True)
        self._file = os.open(self._path, FRESH, modes.file)
        self._live = self._open_live()
        self._told_first = header
        self._first = self._header = frame(HEADER, _json(header))
        try:
            self._write(self._header)
        except OSError:
            self._take_away()
            raise

    @property
    def path(self) -> str:
        return self._path

    def cannot_have(self, name: str, why: Sequence[str]) -> None:
        """What turned out later: the header is told again, and the last one counts. `why`: none for what can be had
        now."""
        unavailable = {**self._told_first.get("unavailable", {}), name: list(why)}
        self._told_first["unavailable"] = {one: told for one, told in unavailable.items() if told}
        self._header = frame(HEADER, _json(self._told_first))
        self._put(self._header)

    def processes(self, came: Sequence[Process]) -> None:
        """Before their first sample."""
        self._put(frame(PROCESSES, _json([list(one) for one in came])))

    def end_tick(self) -> None:
        """The tick is over: whoever looks on sees it. It is written in one piece, and not waited for."""
        whole = frame(TICK, self.chunk.end_tick())
        if self._live is not None:
            try:
                if os.write(self._live, whole) < len(whole):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as wrong:
                self._told(wrong)
                self._close_live()  # what followed would be the difference to what is missing

    def has_begun_again(self) -> bool:
        """Whether the file was taken away and another one is begun: of that, who is there is to be told anew. Asked
        before a minute is written, once for each time."""
        try:
            if not _is_there(self._file, self._path):
                self._begin_again()
        except OSError as wrong:
            self._told(wrong)
        again, self._is_another = self._is_another, False
        return again

    def end_chunk(self) -> None:
        """The minute is over."""
        if self.chunk.ticks:
            self._put(frame(CHUNK, self.chunk.finish()), is_durable=True)
        self._close_live()
        if not self._waiting:
            self._live = self._open_live()

    def close(self, how: dict[str, Any]) -> str:
        """Why the end could not be written; empty where it was."""
        self.end_chunk()
        self._put(frame(END, _json({**how, "given_up_frames": self.given_up})), is_durable=True)
        self._close_live()
        if not self._waiting:  # else what it has is nowhere else
            try:
                os.unlink(self._path + LIVE)
            except OSError:
                pass
        os.close(self._file)
        return self.trouble if self._waiting else ""

    def _put(self, whole: bytes, *, is_durable: bool = False) -> None:
        self._waiting.append(whole)
        self._waiting_bytes += len(whole)
        try:
            if not _is_there(self._file, self._path):
                self._begin_again()
            if self._is_doubtful:
                os.ftruncate(self._file, self._good_bytes)
                self._is_doubtful = False
            while self._waiting:
                self._write(self._waiting[0])
                self._waiting_bytes -= len(self._waiting.pop(0))
            if is_durable or self._unsure_bytes > UNSURE_MOST:
                self._flush()
            self.trouble = ""
        except OSError as wrong:
            self._told(wrong)
            self._give_up()

    def _give_up(self) -> None:
        """The oldest of what waits, but never the header that the file is to begin with."""
        first = 0 if self._good_bytes or self._unsure else 1
        while self._waiting_bytes > WAITING_MOST and len(self._waiting) > first:
            self._waiting_bytes -= len(self._waiting.pop(first))
            self.given_up += 1

    def _flush(self) -> None:
        """A kernel tells once that something was lost, and forgets it (fsync(2)): all since the last time is written
        again."""
        try:
            os.fdatasync(self._file)
        except OSError as wrong:
            if wrong.errno not in NO_FLUSH:
                self._waiting[:0] = self._unsure
                self._waiting_bytes += self._unsure_bytes
                self._unsure, self._unsure_bytes, self._is_doubtful = [], 0, True
                raise
        self._unsure, self._unsure_bytes = [], 0
        self._good_bytes = os.fstat(self._file).st_size

    def _write(self, whole: bytes) -> None:
        """A piece that did not fit is cut off again: a frame is whole or not there."""
        size, written = os.fstat(self._file).st_size, 0
        try:
            while written < len(whole):
                written += os.write(self._file, whole[written:])  # of a piece, the second call says why
        except OSError:
            if written:
                os.ftruncate(self._file, size)
            raise
        self.written_bytes += written
        self._unsure.append(whole)
        self._unsure_bytes += written

    def _begin_again(self) -> None:
        """The file was taken away, and perhaps its folder: what comes from now on is kept all the same. FileExistsError
        where somebody put another thing in its place."""
        os.makedirs(self._folder, mode=self._modes.folder, exist_ok=True)
        try:
            fresh = os.open(self._path, FRESH, self._modes.file)
        except FileExistsError:
            fresh = _copy_of_ours(self._path, self._first)
        os.close(self._file)
        self._file = fresh
        self._unsure, self._unsure_bytes, self._is_doubtful = [], 0, False
        self._good_bytes = os.fstat(fresh).st_size
        self._write(self._header)
        self._is_another = True

    def _take_away(self) -> None:
        """What could not be begun: empty, it would be in the way of who looks for profiles here."""
        os.close(self._file)
        os.unlink(self._path)
        if self._live is not None:
            self._close_live()
            os.unlink(self._path + LIVE)

    def _open_live(self) -> int | None:
        """Another one each minute: who may write in the folder may have put anything in its place."""
        try:
            if os.path.lexists(self._path + LIVE):
                os.unlink(self._path + LIVE)
            return os.open(self._path + LIVE, FRESH, self._modes.file)
        except OSError as wrong:
            self._told(wrong)
            return None

    def _close_live(self) -> None:
        if self._live is not None:
            os.close(self._live)
            self._live = None

    def _told(self, wrong: OSError) -> None:
        self.trouble = wrong.strerror or str(wrong)


def _copy_of_ours(path: str, first: bytes) -> int:
    """To be gone on with, such as in a folder that was moved away and copied back. `first`: how it begins.
    FileExistsError for anything else."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    there = os.fstat(file)
    if stat.S_ISREG(there.st_mode) and there.st_uid == os.geteuid() and os.pread(file, len(first), 0) == first:
        return file
    os.close(file)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _is_there(file: int, path: str) -> bool:
    try:
        there, ours = os.stat(path), os.fstat(file)
    except FileNotFoundError:
        return False
    return (there.st_ino, there.st_dev) == (ours.st_ino, ours.st_dev)


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape")

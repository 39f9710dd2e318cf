"""Files to bring along, and results to bring back; neither leaves its folder."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

import typer

from paracloud.cli.words import both, plain, say, why_zh
from paracloud.client.client import Client
from paracloud.client.content import digest
from paracloud.client.errors import ApiError
from paracloud.wire.jobs import InputModel


def gather(spec: str) -> Iterator[tuple[Path, str]]:
    """PATH or PATH:DESTINATION; a path that is there may hold a colon. A folder brings everything below it; a link that
    leads out of it is refused."""
    source, _, destination = (spec, "", "") if Path(spec).exists() else spec.partition(":")
    path = Path(source)
    if path.is_file():
        yield path, destination or path.name
        return
    if not path.is_dir():
        raise typer.BadParameter(both(f"There is no file or folder {source}.", f"没有文件或文件夹 {source}。"))
    root = path.resolve()
    for found in sorted(root.rglob("*")):
        if not found.resolve().is_relative_to(root):
            raise typer.BadParameter(
                both(f"{found} is a link that leads out of {source}.", f"链接 {found} 指向 {source} 之外。")
            )
        if found.is_file():
            yield found, f"{destination or path.name}/{found.relative_to(root)}"


def upload(client: Client, project: UUID, specs: list[str]) -> list[InputModel]:
    return [client.upload(project, local, path) for spec in specs for local, path in gather(spec)]


def described(specs: list[str]) -> list[InputModel]:
    """As they would be sent; they stay here."""
    return [_described(local, path) for spec in specs for local, path in gather(spec)]


def _described(local: Path, path: str) -> InputModel:
    sha256, size = digest(local)
    return InputModel(path=path, sha256=sha256, size_bytes=size)


def fetch(client: Client, job: UUID, target: Path, *, path: str = "") -> int:
    """Bring the work directory (or a folder of it) to `target`; how many files came. A name that could lead elsewhere
    is left at the centre."""
    count = 0
    for entry in client.files(job, path).items:
        if not entry.is_exact or "/" in entry.name or entry.name in ("", ".", ".."):
            told = both("its name cannot be written; it stays at the centre", "其文件名无法写出，保留在超算中心")
            print(plain(f"{path}/{entry.name}: {told}"), file=sys.stderr)
            continue
        inner = f"{path}/{entry.name}" if path else entry.name
        if entry.is_directory:
            (target / entry.name).mkdir(parents=True, exist_ok=True)
            count += fetch(client, job, target / entry.name, path=inner)
            continue
        target.mkdir(parents=True, exist_ok=True)
        try:
            save(client, job, inner, target / entry.name)
        except ApiError as refused:
            if refused.status in (0, 401, 503):
                raise
            # A link to a folder, a socket, or what is gone by now: the others still come.
            print(plain(f"{inner}: {say(refused.en, refused.zh)}"), file=sys.stderr)
            continue
        except OSError as error:
            told = both(f"it cannot be written here: {error.strerror}", f"无法写入本地：{why_zh(error)}")
            print(plain(f"{inner}: {told}"), file=sys.stderr)
            continue
        count += 1
    return count


def save(client: Client, job: UUID, path: str, local: Path) -> None:
    """`local` appears whole or not at all."""
    with NamedTemporaryFile(dir=local.parent, prefix=".paracloud-", delete=False) as out:
        try:
            for chunk in client.content(job, path):
                out.write(chunk)
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(out.fileno(), 0o666 & ~umask)
            Path(out.name).rename(local)
        except BaseException:
            Path(out.name).unlink()
            raise

"""What a server sends, as a file: whole, or not at all."""

from collections.abc import Iterable
from pathlib import Path


def keep(file: Path, chunks: Iterable[bytes]) -> None:
    """What was there stays until all has come."""
    partial = file.with_name(f"{file.name}.part")
    try:
        with partial.open("wb") as opened:
            opened.writelines(chunks)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)

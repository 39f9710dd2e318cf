"""A file's bytes, and their name."""

from hashlib import sha256
from pathlib import Path

CHUNK_BYTES = 1 << 20


def digest(local: Path) -> tuple[str, int]:
    """Its SHA-256 in hexadecimal digits, and how many bytes it has."""
    found, size = sha256(), 0
    with local.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found.update(chunk)
            size += len(chunk)
    return found.hexdigest(), size

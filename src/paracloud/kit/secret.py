"""Secrets that do not print themselves, and the server's own key."""

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from paracloud.kit.errors import Forbidden

KEY_BYTES = 32
PASSWORD_BYTES = 24


class Secret:
    """Holds a text that no log, trace or error shows. `reveal` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


class ServerKey:
    """The key that tokens are hashed with: a stolen database alone proves nothing to the API."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError(f"a server key has at least {KEY_BYTES} bytes")
        self._key = key

    def digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), sha256)

    def __repr__(self) -> str:
        return "ServerKey(***)"


def server_key(path: Path) -> ServerKey:
    """Read the key, or make one where the file does not exist. Forbidden where others may read the file."""
    return ServerKey(kept_key(path))


def kept_key(path: Path) -> bytes:
    """The file's bytes: so many random ones, where it does not exist. Forbidden where others may read it."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise Forbidden(
            f"{path} is open to others (mode {mode:o}); run chmod 600 on it.",
            f"{path} 对他人可读（权限 {mode:o}）；请执行 chmod 600。",
        )
    return path.read_bytes()


def kept_password(path: Path) -> str:
    """Read the password, or make one where the file does not exist; whole or not at all, and for this account alone."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(PASSWORD_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # unlike a rename, it leaves what another has made meanwhile
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()

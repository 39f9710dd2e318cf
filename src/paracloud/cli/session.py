"""Which server and who: from the environment, else from a file that only its owner can read."""

import os
import tomllib
from pathlib import Path

from paracloud.client.client import Client
from paracloud.client.errors import ApiError

DEFAULT_URL = "http://127.0.0.1:8620"


def config_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "paracloud" / "login.toml"


def keep(url: str, token: str) -> Path:
    """Write the login, mode 0600 from its first byte."""
    file = config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f'url = "{url}"\ntoken = "{token}"\n')
    return file


def client() -> Client:
    """ApiError where nobody has logged in."""
    stored: dict[str, str] = {}
    if config_file().exists():
        stored = tomllib.loads(config_file().read_text())
    url = os.environ.get("PARACLOUD_URL") or stored.get("url") or DEFAULT_URL
    token = (os.environ.get("PARACLOUD_TOKEN") or stored.get("token") or "").strip()
    if not token:
        raise ApiError(
            401,
            "unauthenticated",
            "Not logged in: run `paracloud login`, or set PARACLOUD_TOKEN.",
            "尚未登录：请运行 paracloud login，或设置 PARACLOUD_TOKEN。",
        )
    return Client(url, token)

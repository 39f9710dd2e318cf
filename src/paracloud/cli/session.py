"""Which server and who: from the environment, else from a file that only its owner can read."""

import json
import os
import tomllib
from pathlib import Path
from tempfile import NamedTemporaryFile

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
    with NamedTemporaryFile("w", dir=file.parent, delete=False) as out:  # 0600, as all that tempfile makes
        # TOML's strings are JSON's, but for DEL, which no address and no token has.
        out.write(f"url = {json.dumps(url)}\ntoken = {json.dumps(token)}\n")
    Path(out.name).rename(file)
    return file


def _stored() -> dict[str, str]:
    try:
        return tomllib.loads(config_file().read_text()) if config_file().exists() else {}
    except ValueError:
        raise ApiError(
            401,
            "unauthenticated",
            f"{config_file()} is damaged: run `paracloud login` again.",
            f"{config_file()} 已损坏：请重新运行 paracloud login。",
        ) from None


def client() -> Client:
    """ApiError where nobody has logged in."""
    stored = _stored()
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

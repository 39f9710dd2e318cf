"""Answers of a real Grid Engine: what it wrote, and beside it what it was asked, when, and in which version."""

import tomllib
from pathlib import Path
from typing import Any

from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.kit.command import Completed

FOLDER = Path(__file__).parents[3] / "golden/gridengine/8.1.9"
NONCE = "pc00c0ffee00c0ffee"


def recorded(name: str) -> Completed:
    about = asked(name)
    return Completed(about["exit_status"], (FOLDER / f"{name}.stdout").read_bytes(), about["stderr"].encode())


def asked(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text())


def dialect() -> GridEngineDialect:
    return GridEngineDialect(lambda: NONCE)

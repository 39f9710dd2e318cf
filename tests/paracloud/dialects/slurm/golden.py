"""Answers of a real centre: what it wrote, and beside it what it was asked, when, and in which version."""

import tomllib
from pathlib import Path
from typing import Any

from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.kit.command import Completed

FOLDER = Path(__file__).parents[3] / "golden/slurm/22.05"
NONCE = "pc00c0ffee00c0ffee"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def recorded(name: str) -> Completed:
    about = asked(name)
    return Completed(about["exit_status"], (FOLDER / f"{name}.stdout").read_bytes(), about["stderr"].encode())


def asked(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text())


def dialect() -> SlurmDialect:
    return SlurmDialect(lambda: NONCE)

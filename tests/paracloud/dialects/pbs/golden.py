"""Answers in the documented form of each flavour's commands; what each was asked, and where its form is from, stands
beside it."""

import tomllib
from pathlib import Path
from typing import Any

from paracloud.dialects.pbs.dialect import PbsDialect, openpbs, torque
from paracloud.kit.command import Completed

FOLDER = Path(__file__).parents[3] / "golden"
NONCE = "pc00c0ffee00c0ffee"
OPENPBS, TORQUE = "openpbs/23.06", "torque/6.1"


def recorded(flavour: str, name: str) -> Completed:
    about = asked(flavour, name)
    stdout = (FOLDER / flavour / f"{name}.stdout").read_bytes()
    return Completed(about["exit_status"], stdout, about["stderr"].encode())


def asked(flavour: str, name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / flavour / f"{name}.toml").read_text())


def dialect(flavour: str) -> PbsDialect:
    return {OPENPBS: openpbs, TORQUE: torque}[flavour](lambda: NONCE)

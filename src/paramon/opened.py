"""A profile, or a folder of them, as somebody names it who is told what of it could not be read."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from paramon.errors import Refused, said
from paramon.facts.runs import without_copies
from paramon.sample.profile import NodeProfile, open_profile

NAMED = 3


def opened(path: str) -> list[NodeProfile]:
    """As `open_profile`, each once; what else is in the folder and no profile, or a copy of one, is said on standard
    error. Refused where nothing is at that path."""
    if not os.path.lexists(path):
        raise Refused(
            f"There is no profile at {path}: name a file, or a folder of them.",
            f"{path} 处没有采集文件：请给出文件或目录。",
        )
    wrong: list[str] = []
    found, copies = without_copies(open_profile(path, wrong.append))
    tell_left_out(wrong, [one.path for one in copies])
    return found


def tell_left_out(wrong: Sequence[str], copies: Sequence[str]) -> None:
    """Of files in a folder that are no profiles, and of those that are others' copies."""
    if wrong:
        files = f"{len(wrong)} files are damaged" if wrong[1:] else "1 file is damaged"
        _tell(wrong, f"{files} or no profile", f"{len(wrong)} 个损坏或非采集文件")
    if copies:
        files = f"{len(copies)} files are copies of others" if copies[1:] else "1 file is a copy of another"
        _tell(copies, files, f"{len(copies)} 个重复的采集文件")


def _tell(paths: Sequence[str], en: str, zh: str) -> None:
    names = ", ".join(os.path.basename(one) for one in paths[:NAMED]) + (" …" if paths[NAMED:] else "")
    sys.stderr.write(said(f"{en}, and left out: {names}", f"已略过 {zh}：{names}"))

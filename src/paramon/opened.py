"""A profile, or a folder of them, as somebody names it who is told what of it could not be read."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from paramon.errors import Refused, said
from paramon.sample.profile import NodeProfile, open_profile

NAMED = 3


def opened(path: str) -> list[NodeProfile]:
    """As `open_profile`; what else is in the folder and no profile is said on standard error. Refused where nothing is
    at that path."""
    if not os.path.lexists(path):
        raise Refused(
            f"There is no profile at {path}: name a file, or a folder of them.",
            f"{path} 处没有采集文件：请给出文件或目录。",
        )
    wrong: list[str] = []
    found = open_profile(path, wrong.append)
    tell_left_out(wrong)
    return found


def tell_left_out(wrong: Sequence[str]) -> None:
    """Of files in a folder that are no profiles."""
    if not wrong:
        return
    names = ", ".join(os.path.basename(one) for one in wrong[:NAMED]) + (" …" if wrong[NAMED:] else "")
    files = f"{len(wrong)} files are damaged" if wrong[1:] else "1 file is damaged"
    sys.stderr.write(
        said(f"{files} or no profile, and left out: {names}", f"已略过 {len(wrong)} 个损坏或非采集文件：{names}")
    )

"""`paramon show`: a profile as a page, or as JSON."""

from __future__ import annotations

import json
import shutil
import sys

from paramon.facts.job import JobFacts
from paramon.sample.profile import open_profile
from paramon.show.page import page
from paramon.show.sheet import Sheet
from paramon.show.told import told

NARROWEST, WIDEST, OF_A_FILE = 60, 160, 120
"""Columns."""


def show(path: str, *, is_json: bool, is_chinese: bool) -> None:
    """To standard output. Damaged where there is no profile, OSError where it cannot be read."""
    facts = JobFacts(open_profile(path))
    if is_json:
        sys.stdout.write(json.dumps(told(facts), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(page(facts, Sheet(is_chinese=is_chinese, columns=_columns())))
    sys.stdout.flush()


def _columns() -> int:
    if not sys.stdout.isatty():
        return OF_A_FILE
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)

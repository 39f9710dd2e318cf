"""`paramon show`: a profile as a page, or as JSON."""

from __future__ import annotations

import json
import shutil
import sys

from paramon.facts.job import JobFacts
from paramon.facts.runs import newest_run
from paramon.opened import opened
from paramon.show.page import page
from paramon.show.sheet import Sheet
from paramon.show.told import told
from paramon.streams import columns_of_a_file
from paramon.text import word

NARROWEST, WIDEST, OF_A_FILE = 60, 160, 120
"""Columns."""


def show(path: str, *, is_json: bool, is_chinese: bool) -> None:
    """To standard output. Damaged where there is no profile, OSError where it cannot be read."""
    profiles = opened(path)
    shown = newest_run(profiles)
    facts = JobFacts(shown)
    if is_json:
        has_all = sys.stdout.encoding.lower() in ("utf-8", "utf8")
        sys.stdout.write(json.dumps(told(facts), ensure_ascii=not has_all) + "\n")
    else:
        sheet = Sheet(is_chinese=is_chinese, columns=_columns())
        sys.stdout.write(page(facts, sheet) + _others(len(profiles) - len(shown), sheet))
    sys.stdout.flush()


def _others(count: int, sheet: Sheet) -> str:
    if not count:
        return ""
    return sheet.say(
        f"\nThis is the newest run. Beside it: {count} {word(count, 'profile')} of others; name a file to see one.\n",
        f"\n以上为最近一次运行；目录中另有 {count} 个更早的采集文件：请指定文件名查看。\n",
    )


def _columns() -> int:
    if not sys.stdout.isatty():
        return max(columns_of_a_file(OF_A_FILE), NARROWEST)
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)

"""Standard output and error, whatever they are."""

from __future__ import annotations

import io
import os
import sys


def with_streams() -> bool:
    """Whether standard output is there. Python has None for a stream that is closed; and a name in a terminal that
    cannot show it is no reason to show nothing."""
    has_output = bool(sys.stdout)
    if not has_output:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # as long as everything lasts
    if not sys.stderr:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # as above
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return has_output


def write_no_more() -> None:
    """What is left to write would fail again when Python ends. (Closed first: perhaps no more files may be open.)"""
    output = sys.stdout.fileno()
    os.close(output)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != output:
        os.dup2(nowhere, output)


def columns_of_a_file(otherwise: int) -> int:
    """As COLUMNS says, where it does: of what is no terminal."""
    told = os.environ.get("COLUMNS", "")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 6 and int(told) else otherwise

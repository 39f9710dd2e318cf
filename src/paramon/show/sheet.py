"""Paper for a page: its width, its language, and lines with a label."""

from __future__ import annotations

from paramon.text import folded, left, width

LABEL = 14
"""Columns."""
BETWEEN = " · "


class Sheet:
    def __init__(self, *, is_chinese: bool, columns: int) -> None:
        self.is_chinese, self.columns = is_chinese, columns

    def say(self, en: str, zh: str) -> str:
        return zh if self.is_chinese else en

    def line(self, label: str, *parts: str) -> list[str]:
        """Parts that do not fit go on below, those that are wider than a line in several; empty ones are left out."""
        lines = [left(label, LABEL)]
        room = self.columns - LABEL - 1
        for part in (piece for whole in parts if whole for piece in folded(whole, room)):
            before = BETWEEN if width(lines[-1]) > LABEL else " "
            if width(lines[-1] + before + part) > self.columns and before == BETWEEN:
                lines.append(" " * LABEL)
                before = " "
            lines[-1] += before + part
        return lines

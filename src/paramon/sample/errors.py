"""What can be wrong with a profile."""

from __future__ import annotations


class Damaged(Exception):
    """Bytes that are no whole part of a profile. In English and in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class TooLarge(Damaged):
    """Whole perhaps, but more than whoever reads wants at once."""

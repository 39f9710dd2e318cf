"""What is said to who asked for something that cannot be."""

from __future__ import annotations


class Refused(Exception):
    """It says what to change, in English and in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh

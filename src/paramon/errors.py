"""What is said to who asked for something that cannot be."""

from __future__ import annotations

import os


class Refused(Exception):
    """It says what to change, in English and in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


def said(en: str, zh: str) -> str:
    """For the terminal: in English, and in a Chinese one in Chinese too."""
    return "".join(f"{printable(one)}\n" for one in (f"paramon: {en}", *[zh] * is_chinese()))


def printable(text: str) -> str:
    """Names of files in it may be anybody's, and must not speak to the terminal."""
    return "".join(one if one.isprintable() else "�" for one in text)


def is_chinese(asked: str = "") -> bool:
    """`asked`: `en` or `zh`; empty for the terminal's own language."""
    if asked:
        return asked == "zh"
    told = (os.environ.get(name, "") for name in ("PARACLOUD_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return next((one for one in told if one), "").startswith("zh")

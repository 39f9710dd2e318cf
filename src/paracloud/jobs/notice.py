"""A thing that the user should know and that stops nothing: shown at submission, kept nowhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """`field` names the option or the part of the script."""

    field: str
    en: str
    zh: str

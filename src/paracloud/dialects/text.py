"""What every scheduler's text is read by: numbers read strictly, and text made safe to show."""


def printable(text: str, limit: int = 1024) -> str:
    """The centre's text without escape codes, NUL, changes of direction and what else does not print: safe to show and
    to store, at most `limit` characters."""
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else " " for c in cut)
    return cut.strip()


def count(text: str) -> int:
    """A whole number of at most 18 digits: what a BIGINT holds. ValueError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(f"{text[:40]!r} is no whole number")
    return int(text)

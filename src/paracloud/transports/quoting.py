"""The one place where words become a shell line, and where a path is checked before it leaves the process.

Text is UTF-8 with surrogateescape both ways, so that a name of any bytes comes back as it was.
"""

import shlex
from collections.abc import Sequence

from paracloud.kit.errors import Invalid


def checked(argv: Sequence[str]) -> tuple[str, ...]:
    """Invalid for what no program can be given: no word at all, a NUL, and a program name that reads as an option."""
    if not argv or not argv[0] or argv[0].startswith("-"):
        raise Invalid("A command begins with the name of a program.", "命令必须以程序名开头。")
    if any("\0" in word for word in argv):
        raise Invalid("A command cannot hold the character NUL.", "命令中不能包含空字符。")
    return tuple(argv)


def shell_line(argv: Sequence[str]) -> bytes:
    return encoded(shlex.join(checked(argv)))


def checked_path(path: str) -> str:
    if not path or "\0" in path:
        raise Invalid("A path is not empty and holds no NUL.", "路径不能为空，也不能包含空字符。", field="path")
    return path


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")

"""Reading a table of TOML strictly: whatever is not what it should be is refused with its place and what to write."""

import re
from collections.abc import Mapping
from typing import Any

from paralab.errors import LabError

NAME = re.compile(r"[a-z]([a-z0-9-]{0,13}[a-z0-9])?", re.ASCII)


def tables(tree: Mapping[str, Any], key: str, where: str, *, leaves: bool = False) -> Mapping[str, Any]:
    found = tree.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(value, dict) is not leaves for value in found.values()):
        like = f"[{where}.{key}] with a line for each parameter" if leaves else f"a table such as [{key}.NAME]"
        raise wrong(f"{where}.{key}", like, f"表 [{where}.{key}]，每行一个参数" if leaves else f"表，例如 [{key}.名称]")
    return found


def demand_known(table: Mapping[str, Any], keys: set[str], where: str) -> None:
    for key in table:
        if key not in keys:
            wanted = ", ".join(sorted(keys))
            raise wrong(f"{where}.{key}", f"one of {wanted} instead", f"以下之一：{wanted}")


def demand_name(name: str, where: str) -> None:
    if not NAME.fullmatch(name):
        raise wrong(
            where,
            "a name of a-z, 0-9 and -, that begins with a letter and does not end in -, of at most 15 characters",
            "由 a-z、0-9 和 - 组成、以字母开头、不以 - 结尾、最长 15 个字符的名称",
        )


def count(table: Mapping[str, Any], key: str, where: str, least: int, most: int, default: int | None) -> int:
    value = table.get(key, default)
    if type(value) is not int or not least <= value <= most:
        raise wrong(f"{where}.{key}", f"a whole number, {least} to {most}", f"{least} 至 {most} 的整数")
    return value


def wrong(where: str, en: str, zh: str) -> LabError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in where[:200])
    return LabError(f"{shown}: write {en}.", f"{shown}：请写{zh}。")

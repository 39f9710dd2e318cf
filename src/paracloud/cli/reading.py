"""The one way in which a user's file is read as text or JSON: whole, or refused with what to do about it."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from paracloud.cli.words import both, plain, why_zh


def read_text(file: Path) -> str:
    """With its line ends, and without the mark that some editors put before a text."""
    with refusing(file):
        return file.read_bytes().decode("utf-8-sig")


def read_json(file: Path) -> object:
    try:
        return json.loads(read_text(file))
    except RecursionError:
        raise _refused(f"{file} is nested too deeply for JSON of ours.", f"{file}：JSON 嵌套过深。") from None
    except ValueError as error:
        zh = f"：第 {error.lineno} 行第 {error.colno} 列" if isinstance(error, json.JSONDecodeError) else ""
        raise _refused(f"{file} is no JSON: {error}.", f"{file} 不是有效的 JSON{zh}。") from None


@contextmanager
def refusing(file: Path) -> Iterator[None]:
    """Around whatever reads this file and does nothing else."""
    try:
        yield
    except OSError as error:
        raise _refused(f"{file} cannot be read: {error.strerror}.", f"无法读取 {file}：{why_zh(error)}。") from None
    except UnicodeDecodeError:
        raise _refused(
            f"{file} is no UTF-8 text; convert it, such as with iconv -f GB18030 -t UTF-8.",
            f"{file} 不是 UTF-8 文本；请先转换，例如 iconv -f GB18030 -t UTF-8。",
        ) from None
    except csv.Error as error:
        raise _refused(f"{file} is no CSV: {error}.", f"{file} 不是有效的 CSV。") from None


def _refused(en: str, zh: str) -> typer.BadParameter:
    return typer.BadParameter(plain(both(en, zh)))

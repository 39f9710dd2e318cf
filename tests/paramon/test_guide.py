"""Every command of paramon that a guide names is there, with the options that it gives it."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from paramon.cli import _parser

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "guides").glob("*.md"))]
NAMED = re.compile(r"(?:^|[\s`])paramon ([a-z]+\b[^`#\n|;&]*)", re.MULTILINE)


def named(file: Path) -> list[str]:
    """In code alone: fenced, or between backticks."""
    text = file.read_text()
    code = [*re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL), *re.findall(r"`[^`\n]+`", text)]
    return [one.strip() for part in code for one in NAMED.findall(part)]


def commands() -> dict[str, argparse.ArgumentParser]:
    (words,) = (act for act in _parser()._actions if isinstance(act, argparse._SubParsersAction))
    return words.choices


def wrong(line: str) -> str | None:
    """The word that is no command, or the option that its command does not have."""
    word, *rest = shlex.split(line)
    if word not in commands():
        return word
    known = {option for act in commands()[word]._actions for option in act.option_strings}
    ours = rest[: rest.index("--")] if "--" in rest else rest
    return next((one for one in ours if one.startswith("-") and one.partition("=")[0] not in known), None)


@pytest.mark.parametrize("file", GUIDES, ids=lambda file: file.name)
def test_what_a_guide_names_is_there(file):
    assert {line: found for line in named(file) if (found := wrong(line)) is not None} == {}


def test_the_guide_names_each_command_and_keys_that_do_something():
    lines = named(ROOT / "guides" / "paramon.md")
    assert {line.split()[0] for line in lines} == set(commands())
    assert wrong("run --nothing -- x") == "--nothing"

"""Every command that the guides name is there: with the words that they give it."""

import re
from pathlib import Path

import pytest
import typer

from paracloud.cli.main import app

ROOT = Path(__file__).parents[3]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "guides").glob("*.md"))]
OTHERS = {"demo", "test", "check", "soak", "bench", "lab", "up", "authority-key", "pyz"}
"""What `./run` does besides the command line."""
NAMED = re.compile(r"(?:\./run|\bparacloud) ([a-z][a-z-]+(?: +[^\s`;#()|]+)*)")


def named(file: Path) -> list[str]:
    """In code alone: fenced, or between backticks."""
    text = file.read_text()
    code = [*re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL), *re.findall(r"`[^`\n]+`", text)]
    return [one for part in code for one in NAMED.findall(part)]


def missing(words: list[str]) -> str | None:
    """The first word that leads nowhere, or the first option that its command does not have."""
    found = typer.main.get_command(app)
    while words and words[0] != "--help" and (below := getattr(found, "commands", None)) is not None:
        word = words.pop(0)
        if word not in below:
            return word
        found = below[word]
    options = {option for one in found.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    return next((word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in options), None)


@pytest.mark.parametrize("file", GUIDES, ids=lambda file: file.name)
def test_what_a_guide_names_is_there(file):
    wrong = {one: word for one in named(file) if one.split()[0] not in OTHERS and (word := missing(one.split()))}
    assert wrong == {}


def test_the_guides_name_commands_at_all():
    assert len({one for file in GUIDES for one in named(file)}) > 40

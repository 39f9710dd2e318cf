"""Tables are whole, however narrow the terminal is."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.paracloud.cli.test_statements import MONTH, month

from paracloud.cli import show
from paracloud.wire.statements import SumsModel

__all__ = ["month"]
HEADINGS = ["product line", "wallet", "queue", "core-hours", *sorted(show.PROSE)]
CELLS = st.text(st.sampled_from("ab0.1 -中文\t"), max_size=60) | st.none()


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.fixture
def narrow():
    """The terminal's width, which is put back."""
    width = show.console.width
    yield lambda columns: setattr(show.console, "width", columns)
    show.console.width = width


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(HEADINGS), min_size=1, max_size=12).flatmap(
        lambda heads: st.tuples(st.just(heads), st.lists(CELLS, min_size=len(heads), max_size=len(heads)))
    ),
    st.sampled_from([40, 80, 200]),
)
def test_every_heading_number_and_word_of_a_table_is_there(capsys, narrow, shown, width):
    heads, cells = shown
    narrow(width)
    show.table(heads, [cells])
    head, _, *lines = capsys.readouterr().out.rstrip("\n").split("\n")[1:]
    assert squeezed(head) == squeezed("".join(heads))
    for heading, cell in zip(heads, cells, strict=True):
        told = "-" if cell is None else cell.expandtabs().strip()
        assert heading in show.PROSE or told in lines[0]
    letters = sorted(squeezed("".join("-" if cell is None else cell for cell in cells)))
    assert sorted(squeezed("".join(lines))) == letters


@pytest.mark.parametrize("columns", ["80", "40"])
@pytest.mark.parametrize("language", ["en_US.UTF-8", "zh_CN.UTF-8"])
def test_a_month_keeps_every_digit_of_its_money(terminal, lin, month, columns, language):  # the fixture
    tree = json.loads(terminal.say(lin, "statement", "show", MONTH, "--json"))
    shown = terminal.say(lin, "statement", "show", MONTH, COLUMNS=columns, language=language)
    figures = r"\s+".join(str(tree["total"][name]) for name in SumsModel.model_fields)
    assert len(re.findall(rf"(?<!\S){figures}(?!\S)", shown)) == 3, "by place, their total, by user"
    assert tree["closing"] in shown

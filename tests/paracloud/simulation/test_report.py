"""The report page: whole without anything from elsewhere, in both languages, and true to the figures."""

import re
from html.parser import HTMLParser

import pytest

from paracloud.simulation.grid import Rules
from paracloud.simulation.plots import bars, dots
from paracloud.simulation.report import MOST_CENTRES, Played, page
from paracloud.simulation.simulate import Asked, simulate
from paracloud.simulation.workload import TraceJob, Workload

VOID = {"meta", "input", "rect", "circle", "line"}


class Nesting(HTMLParser):
    """Fails where an element ends that did not begin last."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, _attributes: object) -> None:
        self.seen.append(tag)


def drawn(policies: tuple[str, ...] = ("local", "ours"), *, share: float = 0.5, centres: int = 3) -> str:
    jobs = tuple(TraceJob(at * 20, 100, 4, 100, at % 2, f"<u{at % 8}>") for at in range(60))
    workload = Workload((4, 8, *(16,) * (centres - 2)), jobs, left_out=7)
    outcomes = dict(simulate(workload, Asked(policies, Rules(), share)))
    return page(Played(workload, "easy", share), outcomes)


def test_the_page_is_whole_and_needs_nothing_from_elsewhere() -> None:
    html = drawn()
    nesting = Nesting()
    nesting.feed(html)
    assert nesting.open == []
    assert not {"script", "link", "img", "iframe"} & set(nesting.seen)
    assert not re.search(r"""(src|href)=|url\(|@import""", html)


def test_every_text_is_there_in_both_languages() -> None:
    html = drawn()
    english, chinese = (re.findall(rf'<span class="{name}">(.*?)</span>', html) for name in ("en", "zh"))
    assert len(english) == len(chinese) > 20
    told = [zh for en, zh in zip(english, chinese, strict=True) if en not in ("P95", "")]
    assert all(re.search("[一-鿿]", zh) for zh in told)
    assert "7 jobs were left out" in html
    assert "7 个作业" in html


def test_how_many_jobs_say_no_time_limit_is_told_where_there_are_some() -> None:
    jobs = tuple(TraceJob(at, 9, 1, 9, 0, "u", at > 2) for at in range(9))
    workload = Workload((4,), jobs)
    html = page(Played(workload, "easy", 1), dict(simulate(workload, Asked(["local"], Rules()))))
    assert "3 jobs say no time limit" in html
    assert "3 个作业未给出时限" in html
    assert "no time limit" not in drawn()


def test_those_who_do_not_use_the_broker_have_a_table_of_their_own() -> None:
    assert "Users who do not use the broker" in drawn()
    assert "Users who do not use the broker" not in drawn(share=1.0)
    nobody = drawn(share=0.0)
    assert "Users who do not use the broker" in nobody
    assert "Users who use the broker" not in nobody


def test_a_centre_that_stood_idle_is_shown_first_with_how_far_it_rises() -> None:
    html = drawn(share=1.0)
    assert re.findall(r"(\d) · (?:4|8|16)</text>", html)[0] == "2"
    assert re.search(r"0% → [1-9]\d*%", html)


def test_of_a_thousand_centres_the_idlest_are_plotted() -> None:
    assert drawn(centres=1000).count('class="track"') == MOST_CENTRES


@pytest.mark.parametrize("is_log", [False, True])
def test_bars_are_as_long_as_their_values(is_log: bool) -> None:
    plot = bars({"a": 1, "b": 10, "<c>": 100}, "{}", is_log=is_log)
    lengths = [float(one) for one in re.findall(r'<rect .*?width="([\d.]+)"', plot)]
    if is_log:
        assert lengths[2] == pytest.approx(2 * lengths[1], abs=0.1)
    else:
        assert lengths[2] == pytest.approx(10 * lengths[1], abs=0.5)


def test_nothing_to_show_is_no_error() -> None:
    assert "<svg" in bars({"a": 0.0}, "{}")
    assert "0%" in dots([("x", [0.0])])

"""Who asks costs the answer, and not the looking."""

import time

import pytest

from paramon.agent.command import Node, Wanted
from paramon.sample.profile import open_profile


@pytest.fixture
def node():
    one = Node(Wanted("", period=0.1, budget=0.005))
    one.look_if_due()
    yield one
    one.close()


def look(node: Node) -> None:
    time.sleep(node.wait_seconds())
    node.look_if_due()


def test_a_page_is_made_once_a_look_however_often_it_is_asked_for(node: Node):
    first = node.page()
    assert node.page() is first
    look(node)
    assert node.page() is not first


def test_what_answers_take_is_not_taken_off_the_budget_and_is_told(node: Node):
    """Less than a second goes to two looks, however many processes there are."""
    began = time.process_time()
    while time.process_time() - began < 1.0:
        pass
    node.served()
    look(node)
    assert node._beat.cost() * (time.monotonic() - node._beat._began) < 1.0
    (served,) = (
        line.split()[1] for line in node.page().decode().split("\n") if line.startswith("paramon_agent_serving_cpu_sec")
    )
    assert float(served) >= 1.0


def test_what_turns_out_not_to_be_there_is_on_the_page_and_in_the_next_days_profile_until_it_is(tmp_path):
    node = Node(Wanted("", str(tmp_path), period=0.1, budget=1.0))

    def told() -> tuple[bool, list[str] | None]:
        look(node)
        node._turn_over()
        header = open_profile(node._spool.path)[0].header
        return b'what="late"' in node.page(), header["unavailable"].get("late")

    node._recorder.cannot_have("late", ("nobody is there", "无人"))
    assert told() == (True, ["nobody is there", "无人"])
    node._recorder.cannot_have("late", ())
    assert told() == (False, None)
    node.close()

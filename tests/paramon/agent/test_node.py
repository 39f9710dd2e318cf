"""Who asks costs the answer, and not the looking."""

import time

import pytest

from paramon.agent.command import Node, Wanted


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

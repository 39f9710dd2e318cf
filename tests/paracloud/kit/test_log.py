"""A log line is one line, and neither a secret nor an escape code gets through it."""

import io
import logging
import re
from collections.abc import Callable, Iterator

import pytest
import structlog

from paracloud.kit.log import configure_logs
from paracloud.kit.secret import Secret, ServerKey

CANARY = "canary7f3a9c51d2"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[str]]]:
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    configure_logs("info", stream)
    yield lambda: stream.getvalue().splitlines()
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_a_decision_is_one_line_of_key_and_value(lines: Callable[[], list[str]]) -> None:
    with structlog.contextvars.bound_contextvars(request="r1"):
        structlog.get_logger().info("job.placed", centre="east", why="the cheapest")
    (line,) = lines()
    assert line.split(" ", 1)[1] == 'level=info event=job.placed centre=east why="the cheapest" request=r1'


@pytest.mark.parametrize(
    "fields",
    [
        {"token": CANARY},
        {"Authorization": f"x {CANARY}"},
        {"value": Secret(CANARY)},
        {"value": ServerKey(CANARY.encode() * 4)},
        {"value": f"sent pc_{CANARY}_abc to nobody"},
        {"header": f"Bearer {CANARY}"},
        {"error": f"cannot connect to postgresql://grid:{CANARY}@db/x"},
        {"text": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----"},
        {"text": f"-----BEGIN PRIVATE KEY-----\n{CANARY}"},
    ],
)
def test_no_planted_secret_is_in_the_log(lines: Callable[[], list[str]], fields: dict[str, object]) -> None:
    structlog.get_logger().info("x", **fields)
    (line,) = lines()
    assert CANARY not in line
    assert "***" in line


def test_a_crash_is_one_line_without_its_secrets(lines: Callable[[], list[str]]) -> None:
    try:
        raise RuntimeError(f"postgresql://grid:{CANARY}@db/x\nsecond line")
    except RuntimeError:
        structlog.get_logger().exception("centre.crashed")
    (line,) = lines()
    assert CANARY not in line
    assert r"RuntimeError: postgresql://grid:***@db/x\nsecond line" in line


@pytest.mark.parametrize(
    "hostile", ["\x1b[2Jgone", "a\nlevel=error event=forged", "\x9b31m", "\u202elive", "\x00", "\r"]
)
def test_what_a_centre_says_neither_moves_the_terminal_nor_forges_a_line(
    lines: Callable[[], list[str]], hostile: str
) -> None:
    structlog.get_logger().info("centre.said", text=f"{hostile}", **{f"k{hostile}": "v"})
    (line,) = lines()
    assert line.isprintable()


@pytest.mark.parametrize("text", ['x" event=forged y="', '\\" event=forged y=\\"', "a\\", "", "a=b"])
def test_a_value_is_read_back_as_it_was_and_cannot_end_its_own_quotes(
    lines: Callable[[], list[str]], text: str
) -> None:
    structlog.get_logger().info("centre.said", text=text)
    (line,) = lines()
    written = line.partition(" text=")[2]
    inner = written[1:-1] if written.startswith('"') else written
    assert re.sub(r"\\(.)", r"\1", inner) == text
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"|[^\s"=]+', written)


def test_an_endless_value_is_cut(lines: Callable[[], list[str]]) -> None:
    structlog.get_logger().info("centre.said", text="x" * 10**6)
    assert len(lines()[0]) < 2200


def test_libraries_speak_in_the_same_form_and_only_to_warn(lines: Callable[[], list[str]]) -> None:
    logging.getLogger("asyncssh").info("Opening connection")
    logging.getLogger("asyncssh").warning("host %s with pc_%s", "east", CANARY * 2)
    structlog.get_logger().debug("not asked for")
    (line,) = lines()
    assert 'event="host east with pc_***"' in line
    assert "level=warning" in line

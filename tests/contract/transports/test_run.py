"""What every transport promises of commands, asked of all of them: SSH to a real sshd, and this machine."""

import asyncio
import os
import signal
import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.transports.machine import HOSTILE, Machine, gone, there

from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Invalid, Unreachable
from paracloud.transports.transport import READ_AT_ONCE_BYTES, execute

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40) | st.sampled_from(
    HOSTILE
)


class TestRunning:
    async def test_output_errors_and_status_come_back_apart(self, machine: Machine):
        done = await machine.transport.run(("sh", "-c", "cat; echo oops >&2; exit 3"), stdin=b"in\0put")
        assert done == Completed(3, b"in\0put", b"oops\n")

    async def test_a_command_starts_in_the_home_directory(self, machine: Machine):
        done = await machine.transport.run(("pwd", "-P"))
        assert done.stdout.decode().strip() == str(machine.home)

    async def test_a_program_that_is_not_there_ends_with_127(self, machine: Machine):
        assert (await machine.transport.run(("no-such-program",))).exit_status == 127

    async def test_a_signal_is_a_negative_status(self, machine: Machine):
        done = await machine.transport.run(("bash", "-c", "kill -TERM $$"))
        assert done.exit_status == -signal.SIGTERM

    async def test_a_shell_builtin_is_not_a_program(self, machine: Machine):
        assert (await machine.transport.run(("shopt",))).exit_status == 127

    @pytest.mark.parametrize("argv", [(), ("",), ("-c", "true"), ("echo", "a\0b")])
    async def test_what_no_program_can_be_given_is_refused(self, machine: Machine, argv: tuple[str, ...]):
        with pytest.raises(Invalid):
            await machine.transport.run(argv)

    async def test_input_that_nobody_wants_is_no_error(self, machine: Machine):
        done = await machine.transport.run(("true",), stdin=b"x" * 5_000_000)
        assert done.exit_status == 0

    async def test_much_input_and_much_output_at_once_do_not_wait_for_each_other(self, machine: Machine):
        content = os.urandom(1 << 20) * 8
        done = await machine.transport.run(("cat",), stdin=content)
        assert done.stdout == content

    async def test_output_of_exactly_the_limit_is_whole(self, machine: Machine):
        done = await machine.transport.run(("head", "-c", "100000", "/dev/zero"), limit_bytes=100_000)
        assert len(done.stdout) == 100_000
        assert not done.truncated

    async def test_a_byte_more_than_the_limit_is_cut(self, machine: Machine):
        done = await machine.transport.run(("head", "-c", "100001", "/dev/zero"), limit_bytes=100_000)
        assert len(done.stdout) == 100_000
        assert done.truncated

    @pytest.mark.parametrize("redirection", ["", " >&2"])
    async def test_endless_output_is_cut_and_its_command_stopped(self, machine: Machine, redirection: str):
        script = f"echo $$ > endless; exec cat /dev/zero{redirection}"
        done = await machine.transport.run(("sh", "-c", script), limit_bytes=1 << 20)
        assert done.truncated
        assert len(done.stdout) + len(done.stderr) == 1 << 20
        await gone(machine.transport, "endless")

    async def test_a_command_that_takes_too_long_is_unreachable_and_stopped(self, machine: Machine):
        script = "echo $$ > slow; exec sleep 1000"
        with pytest.raises(Unreachable):
            await machine.transport.run(("sh", "-c", script), timeout=timedelta(seconds=1))
        await gone(machine.transport, "slow")

    async def test_a_caller_that_gives_up_stops_its_command(self, machine: Machine):
        script = "echo $$ > left; exec sleep 1000"
        task = asyncio.create_task(machine.transport.run(("sh", "-c", script), timeout=timedelta(seconds=100)))
        await there(machine.transport, "left")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone(machine.transport, "left")

    async def test_many_commands_at_once_all_get_their_own_answer(self, machine: Machine):
        answers = await asyncio.gather(*(machine.transport.run(("echo", str(number))) for number in range(40)))
        assert [int(answer.stdout) for answer in answers] == list(range(40))


class TestReading:
    @pytest.mark.parametrize(("size", "is_apart"), [(1000, False), (READ_AT_ONCE_BYTES + 1, True)])
    async def test_a_long_answer_is_read_apart_from_the_loop(self, machine: Machine, size: int, is_apart: bool):
        def parse(completed: Completed) -> bool:
            assert len(completed.stdout) == size
            return threading.current_thread() is not threading.main_thread()

        assert await execute(machine.transport, Command(("head", "-c", str(size), "/dev/zero"), parse)) is is_apart


class TestQuoting:
    @pytest.mark.parametrize("word", HOSTILE)
    async def test_a_hostile_word_comes_back_byte_for_byte(self, machine: Machine, word: str):
        done = await machine.transport.run(("printf", "%s\\0", word))
        assert done.stdout == word.encode("utf-8", "surrogateescape") + b"\0"

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(WORDS, min_size=1, max_size=6))
    async def test_any_words_come_back_byte_for_byte(self, machine: Machine, words: list[str]):
        done = await machine.transport.run(("printf", "%s\\0", *words))
        assert done.stdout == b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)

    async def test_no_hostile_word_did_anything(self, machine: Machine):
        await machine.transport.run(("printf", "%s\\0", *HOSTILE))
        assert machine.home is not None
        assert not (machine.home / "owned").exists()

"""Pooled connections to a real sshd: shared, capped, renewed after a loss, closed when idle; and wrong logins."""

import asyncio
import gc
import resource
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest
from tests.contract.platform_ssh import CENTRE, Stand, standing
from tests.contract.sshd import wait_until

from paracloud.kit.clock import SystemClock
from paracloud.kit.errors import Broken, Forbidden, TooLarge, Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.failures import LoginRefused, WrongHostKey
from paracloud.transports.pool import Limits, PooledReach
from paracloud.transports.signing import SocketSigner
from paracloud.transports.ssh import Address

ONE, TWO = UnixAccount("pc01"), UnixAccount("pc02")


@pytest.fixture(scope="module")
async def stand() -> AsyncIterator[Stand]:
    async with standing() as stand:
        yield stand


@pytest.fixture
async def reach(stand: Stand) -> AsyncIterator[PooledReach]:
    async with stand.reach() as reach:
        yield reach
    wait_until(lambda: not stand.sshd.sessions())


def reach_at(stand: Stand, address: Address) -> PooledReach:
    async def lookup(_: CentreName) -> Address:
        return address

    return PooledReach(lookup, SocketSigner(stand.socket), SystemClock())


class TestSharing:
    async def test_callers_at_once_share_one_login(self, stand: Stand, reach: PooledReach):
        transports = [await reach.to(CENTRE, ONE, purpose="user/many") for _ in range(20)]
        answers = await asyncio.gather(*(transport.run(("id", "-un")) for transport in transports))
        assert {answer.stdout for answer in answers} == {b"pc01\n"}
        assert len(stand.sshd.sessions()) == 1

    async def test_each_account_has_a_login_of_its_own(self, stand: Stand, reach: PooledReach):
        for account in (ONE, TWO):
            transport = await reach.to(CENTRE, account, purpose="user/own")
            assert (await transport.run(("id", "-un"))).stdout.decode().strip() == account
        assert len(stand.sshd.sessions()) == 2

    async def test_the_key_id_in_the_log_of_sshd_says_for_whom_and_for_what(self, stand: Stand, reach: PooledReach):
        transport = await reach.to(CENTRE, ONE, purpose='zhang/req-77 "x"\nAccepted password for root')
        await transport.run(("true",))
        log = stand.sshd.log.read_text()
        assert "tenant=pc01;user=zhang;req=req-77__x__Accepted_password_for_root" in log
        assert "\nAccepted password" not in log

    async def test_a_caller_that_gives_up_does_not_spoil_the_login_for_others(self, stand: Stand, reach: PooledReach):
        transport = await reach.to(CENTRE, ONE, purpose="user/first")
        first = asyncio.create_task(transport.run(("true",)))
        await asyncio.sleep(0)
        second = asyncio.create_task(transport.run(("echo", "fine")))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).stdout == b"fine\n"
        assert first.cancelled()

    async def test_an_idle_connection_is_closed(self, stand: Stand):
        async with stand.reach(Limits(idle=timedelta(milliseconds=50))) as reach:
            transport = await reach.to(CENTRE, ONE, purpose="user/idle")
            await transport.run(("true",))
            await becomes(lambda: not stand.sshd.sessions())
            assert (await transport.run(("echo", "again"))).stdout == b"again\n"

    async def test_an_old_login_is_replaced_while_its_last_user_ends_in_peace(self, stand: Stand):
        async with stand.reach(Limits(age=timedelta(0))) as reach:
            transport = await reach.to(CENTRE, ONE, purpose="user/old")
            slow = asyncio.create_task(transport.run(("sh", "-c", "touch began; cat began; sleep 1; echo slow")))
            await becomes((stand.sshd.homes[ONE] / "began").exists)
            assert (await transport.run(("echo", "new"))).stdout == b"new\n"
            assert (await slow).stdout == b"slow\n"
            await becomes(lambda: len(stand.sshd.sessions()) == 1)

    async def test_a_full_centre_gives_the_place_of_an_idle_connection_to_the_next(self, stand: Stand):
        async with stand.reach(Limits(per_centre=1)) as reach:
            for account in (ONE, TWO, ONE, TWO):
                transport = await reach.to(CENTRE, account, purpose="user/cap")
                assert (await transport.run(("id", "-un"))).stdout.decode().strip() == account
                await becomes(lambda: len(stand.sshd.sessions()) == 1)

    async def test_who_waits_for_a_place_gets_it_when_a_connection_falls_idle(self, stand: Stand):
        async with stand.reach(Limits(per_centre=1)) as reach:
            one, two = [await reach.to(CENTRE, account, purpose="user/cap") for account in (ONE, TWO)]
            answers = await asyncio.gather(one.run(("sh", "-c", "sleep 0.5; id -un")), two.run(("id", "-un")))
            assert [answer.stdout for answer in answers] == [b"pc01\n", b"pc02\n"]

    async def test_a_centre_with_no_place_left_says_so(self, stand: Stand):
        async with stand.reach(Limits(per_centre=1, wait=timedelta(milliseconds=100))) as reach:
            one, two = [await reach.to(CENTRE, account, purpose="user/cap") for account in (ONE, TWO)]
            running = asyncio.create_task(one.run(("sh", "-c", "echo $$ > full; exec sleep 1000")))
            await becomes((stand.sshd.homes[ONE] / "full").exists)
            with pytest.raises(Unreachable, match="in use"):
                await two.run(("true",))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert (await two.run(("true",))).exit_status == 0


class TestLoss:
    async def test_a_command_that_is_cut_is_unreachable_and_the_next_has_a_new_login(
        self, stand: Stand, reach: PooledReach
    ):
        transport = await reach.to(CENTRE, ONE, purpose="user/cut")
        cut = asyncio.create_task(transport.run(("sh", "-c", "echo begun; touch cut; exec sleep 1000")))
        await becomes((stand.sshd.homes[ONE] / "cut").exists)
        await asyncio.to_thread(stand.sshd.cut)
        with pytest.raises(Unreachable):
            await cut
        assert (await transport.run(("echo", "back"))).stdout == b"back\n"

    async def test_a_connection_that_was_cut_while_idle_costs_nothing_once_it_is_noticed(
        self, stand: Stand, reach: PooledReach
    ):
        transport = await reach.to(CENTRE, ONE, purpose="user/cut")
        await transport.write("before", b"1")
        await asyncio.to_thread(stand.sshd.cut)
        await asyncio.sleep(0.1)
        assert await transport.read("before", limit_bytes=1) == b"1"

    async def test_a_copy_that_is_cut_goes_on_where_it_was(self, stand: Stand, reach: PooledReach, tmp_path: Path):
        source, back = tmp_path / "source", tmp_path / "back"
        source.write_bytes(b"".join(number.to_bytes(8, "big") for number in range(4_000_000)))
        transport = await reach.to(CENTRE, ONE, purpose="user/copy")
        with pytest.raises(Unreachable):
            await cut_half_way(stand, transport.push(source, "cut-copy"))
        resumed = [done async for done in transport.push(source, "cut-copy")]
        assert resumed[0] > 8 << 20
        with pytest.raises(Unreachable):
            await cut_half_way(stand, transport.pull("cut-copy", back))
        resumed = [done async for done in transport.pull("cut-copy", back)]
        assert resumed[0] > 8 << 20
        assert back.read_bytes() == source.read_bytes()

    async def test_nobody_at_the_address_is_unreachable(self, stand: Stand):
        async with reach_at(stand, Address("127.0.0.1", 1, stand.sshd.host_key)) as reach:
            transport = await reach.to(CENTRE, ONE, purpose="user/nobody")
            answers = await asyncio.gather(*(transport.run(("true",)) for _ in range(5)), return_exceptions=True)
            assert [type(answer) for answer in answers] == [Unreachable] * 5

    async def test_a_place_is_given_back_when_a_login_fails(self, stand: Stand):
        async def lookup(_: CentreName) -> Address:
            return Address("127.0.0.1", 1, stand.sshd.host_key)

        limits = Limits(per_centre=1, wait=timedelta(seconds=1))
        async with PooledReach(lookup, SocketSigner(stand.socket), SystemClock(), limits) as reach:
            for _ in range(3):
                with pytest.raises(Unreachable, match="does not answer on SSH"):
                    await (await reach.to(CENTRE, ONE, purpose="user/again")).run(("true",))

    async def test_without_an_authority_there_is_no_login(self, stand: Stand, tmp_path: Path):
        async def lookup(_: CentreName) -> Address:
            return stand.address

        async with PooledReach(lookup, SocketSigner(tmp_path / "none"), SystemClock()) as reach:
            with pytest.raises(Unreachable, match="authority"):
                await (await reach.to(CENTRE, ONE, purpose="user/none")).run(("true",))


class TestRefusal:
    async def test_another_host_key_than_the_pinned_one_is_never_accepted(self, stand: Stand):
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        async with reach_at(stand, Address("127.0.0.1", stand.sshd.port, other)) as reach:
            with pytest.raises(WrongHostKey):
                await (await reach.to(CENTRE, ONE, purpose="user/wrong")).run(("true",))

    async def test_a_host_key_of_another_kind_is_not_accepted_either(self, stand: Stand):
        other = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode().strip()
        async with reach_at(stand, Address("127.0.0.1", stand.sshd.port, other)) as reach:
            with pytest.raises(WrongHostKey):
                await (await reach.to(CENTRE, ONE, purpose="user/wrong")).run(("true",))

    async def test_a_centre_that_moves_to_another_address_is_reached_there_and_whom_it_serves_ends_in_peace(
        self, stand: Stand
    ):
        told = [stand.address]

        async def lookup(_: CentreName) -> Address:
            return told[-1]

        async with PooledReach(lookup, SocketSigner(stand.socket), SystemClock(), Limits(look=timedelta(0))) as reach:
            transport = await reach.to(CENTRE, ONE, purpose="user/moves")
            slow = asyncio.create_task(transport.run(("sh", "-c", "touch moves; sleep 1; echo slow")))
            await becomes((stand.sshd.homes[ONE] / "moves").exists)
            assert (await transport.run(("echo", "same"))).stdout == b"same\n"
            assert len(stand.sshd.sessions()) == 1
            other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
            told.append(Address("127.0.0.1", stand.sshd.port, other))
            with pytest.raises(WrongHostKey):
                await transport.run(("true",))
            assert (await slow).stdout == b"slow\n"
            await becomes(lambda: not stand.sshd.sessions())

    async def test_an_account_that_the_centre_does_not_know_is_a_login_refused(self, reach: PooledReach):
        with pytest.raises(LoginRefused):
            await (await reach.to(CENTRE, UnixAccount("stranger"), purpose="user/x")).run(("true",))

    async def test_root_gets_no_certificate(self, reach: PooledReach):
        with pytest.raises(Forbidden):
            await (await reach.to(CENTRE, UnixAccount("root"), purpose="user/x")).run(("true",))


class TestHostileCentre:
    async def test_banner_and_chatty_start_up_files_are_not_output(self, stand: Stand, reach: PooledReach):
        home = stand.sshd.homes[TWO]
        (home / ".bashrc").write_text("echo NOISE\n")
        try:
            done = await (await reach.to(CENTRE, TWO, purpose="user/noise")).run(("echo", "clean"))
        finally:
            (home / ".bashrc").unlink()
        assert (done.stdout, done.stderr) == (b"clean\n", b"")

    @pytest.mark.parametrize("start_up", ["exit 0\n", "exec cat /dev/zero\n"])
    async def test_start_up_files_that_never_begin_the_command_are_broken(
        self, stand: Stand, reach: PooledReach, start_up: str
    ):
        home = stand.sshd.homes[TWO]
        (home / ".bashrc").write_text(start_up)
        try:
            with pytest.raises(Broken, match="login shell"):
                await (await reach.to(CENTRE, TWO, purpose="user/noise")).run(("echo", "clean"), limit_bytes=1000)
        finally:
            (home / ".bashrc").unlink()

    async def test_endless_output_does_not_grow_our_memory(self, reach: PooledReach):
        transport = await reach.to(CENTRE, ONE, purpose="user/flood")
        await transport.run(("cat", "/dev/zero"), limit_bytes=1 << 20)
        gc.collect()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        floods = (transport.run(("cat", "/dev/zero"), limit_bytes=1 << 20) for _ in range(8))
        assert all(done.truncated for done in await asyncio.gather(*floods))
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kib < 100 * 1024

    async def test_a_directory_without_end_is_refused_after_a_little_of_it(self, stand: Stand, reach: PooledReach):
        crowd = stand.sshd.homes[ONE] / "crowd"
        crowd.mkdir()
        for number in range(5_000):
            (crowd / f"{number:0200}").touch()
        crowd.chmod(0o755)
        transport = await reach.to(CENTRE, ONE, purpose="user/crowd")
        assert await transport.list(".") != []
        before = written_bytes(stand)
        with pytest.raises(TooLarge, match="more than 100 entries"):
            await transport.list("crowd", limit=100)
        part = written_bytes(stand) - before
        assert len(await transport.list("crowd")) == 5_000
        assert part < (written_bytes(stand) - before - part) / 5


def written_bytes(stand: Stand) -> int:
    """By all processes of all logins so far."""
    logins = stand.sshd.sessions()
    return sum(one.io_counters().write_chars for login in logins for one in (login, *login.children(recursive=True)))


async def cut_half_way(stand: Stand, progress: AsyncIterator[int]) -> None:
    async for done in progress:
        if done >= 12 << 20:
            await asyncio.to_thread(stand.sshd.cut)


async def becomes(is_so) -> None:
    await asyncio.to_thread(wait_until, is_so)

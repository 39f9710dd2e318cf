"""The certificate authority: what it signs, what it never signs, and how it keeps its key."""

import asyncio
import json
import re
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.platform_ssh import serving

from paracloud.kit.errors import Broken, Conflict, Forbidden, Unreachable
from paracloud.kit.identifiers import UnixAccount
from paracloud.transports.authority import KEY_ID, Authority, Policy, open_authority, serve
from paracloud.transports.serials import BLOCK, open_serials
from paracloud.transports.signing import SocketSigner, Wanted, key_id

ACCOUNT = UnixAccount("pc01")
NAMES = "tenant=p;user=u;req=r"


@pytest.fixture
def public_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    with closing(open_authority(tmp_path / "authority")) as opened:
        yield opened


@pytest.fixture
async def socket(authority: Authority, tmp_path: Path) -> AsyncIterator[Path]:
    async with serving(authority, tmp_path / "socket"):
        yield tmp_path / "socket"


def shown(certificate: str, folder: Path) -> str:
    """As OpenSSH itself reads it."""
    path = folder / "shown-cert.pub"
    path.write_text(certificate + "\n")
    return subprocess.run(["ssh-keygen", "-L", "-f", str(path)], check=True, capture_output=True, text=True).stdout


class TestSigning:
    def test_a_certificate_is_for_one_account_with_no_extension(self, authority, public_key, tmp_path):
        text = shown(authority.sign(public_key, "pc01", NAMES), tmp_path)
        assert re.search(r"Principals: *\n *pc01\n *Critical Options: \(none\)\n *Extensions: \(none\)\n", text)
        assert f'Key ID: "{NAMES}"' in text

    def test_a_certificate_lives_for_five_minutes_in_all(self, authority, public_key):
        certificate = asyncssh.import_certificate(authority.sign(public_key, "pc01", NAMES))
        assert certificate._valid_before - certificate._valid_after == 300
        assert certificate._valid_after <= time.time() < certificate._valid_before

    @pytest.mark.parametrize(
        "principal",
        ["root", "daemon", "slurm", "nobody", "", "*", "pc01,root", "Root", "pc 01", "pc01\n", "-x", "a" * 33],
    )
    def test_powerful_or_malformed_names_are_never_signed(self, authority, public_key, principal):
        with pytest.raises(Forbidden):
            authority.sign(public_key, principal, NAMES)

    def test_the_operator_narrows_the_names_but_never_frees_root(self, tmp_path, public_key):
        policy = Policy(principals=re.compile("root|pc[0-9]+"))
        with closing(open_authority(tmp_path / "narrow", policy)) as authority:
            authority.sign(public_key, "pc77", NAMES)
            for principal in ("root", "other"):
                with pytest.raises(Forbidden):
                    authority.sign(public_key, principal, NAMES)

    def test_an_address_that_logins_must_come_from_stands_in_the_certificate(self, tmp_path, public_key):
        policy = Policy(source_addresses=("192.0.2.0/24",))
        with closing(open_authority(tmp_path / "narrow", policy)) as authority:
            assert "source-address 192.0.2.0/24" in shown(authority.sign(public_key, "pc01", NAMES), tmp_path)

    @pytest.mark.parametrize("name", ["", "me", "tenant=;user=u;req=r", f"{NAMES};x=y", f"{NAMES}\n", NAMES + "r" * 80])
    def test_a_key_id_of_another_form_is_refused(self, authority, public_key, name):
        with pytest.raises(Forbidden):
            authority.sign(public_key, "pc01", name)

    @pytest.mark.parametrize("key", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "-----BEGIN RSA-----"])
    def test_what_is_no_public_key_is_refused(self, authority, key):
        with pytest.raises(Forbidden):
            authority.sign(key, "pc01", NAMES)

    @given(st.text(max_size=300))
    def test_whatever_the_purpose_the_key_id_has_its_form(self, purpose):
        assert KEY_ID.fullmatch(key_id(ACCOUNT, purpose))


class TestSerials:
    def test_no_number_is_given_twice_whatever_the_restarts(self, tmp_path):
        given_out = []
        for count in (1, BLOCK, BLOCK + 1, 3):
            serials = open_serials(tmp_path / "serial")
            given_out += [serials.take() for _ in range(count)]
            serials.close()
        assert len(set(given_out)) == len(given_out)
        assert min(given_out) == 1

    def test_two_processes_never_share_them(self, tmp_path):
        serials = open_serials(tmp_path / "serial")
        with pytest.raises(Conflict):
            open_serials(tmp_path / "serial")
        serials.close()

    def test_a_spoilt_file_is_not_begun_anew(self, tmp_path):
        (tmp_path / "serial").write_text("what?")
        with pytest.raises(Broken):
            open_serials(tmp_path / "serial")


class TestKey:
    def test_the_key_is_closed_and_its_public_half_open(self, authority, tmp_path):
        assert stat.S_IMODE((tmp_path / "authority").stat().st_mode) == 0o600
        assert (tmp_path / "authority.pub").read_text().strip() == authority.public_key
        assert authority.public_key.startswith("ssh-ed25519 ")

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
    def test_an_open_key_is_refused(self, authority, tmp_path, mode):
        (tmp_path / "authority").chmod(mode)
        with pytest.raises(Forbidden, match="chmod 600"):
            open_authority(tmp_path / "authority")

    def test_a_folder_where_others_could_replace_the_key_is_refused(self, authority, tmp_path):
        tmp_path.chmod(0o777)
        with pytest.raises(Forbidden, match="folder"):
            open_authority(tmp_path / "authority")

    def test_the_key_stays_the_same(self, tmp_path):
        with closing(open_authority(tmp_path / "key")) as first:
            public = first.public_key
        with closing(open_authority(tmp_path / "key")) as second:
            assert second.public_key == public


class TestServing:
    async def test_a_certificate_comes_over_the_socket(self, socket, public_key):
        certificate = asyncssh.import_certificate(await SocketSigner(socket).sign(Wanted(public_key, ACCOUNT, NAMES)))
        assert certificate.principals == ["pc01"]

    async def test_a_refusal_comes_with_its_reason_in_both_languages(self, socket, public_key):
        with pytest.raises(Forbidden) as caught:
            await SocketSigner(socket).sign(Wanted(public_key, UnixAccount("root"), NAMES))
        assert "root" in caught.value.en
        assert "root" in caught.value.zh

    async def test_the_socket_is_open_to_its_owner_alone(self, socket):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        "line",
        [b"\n", b"{}\n", b"[]\n", b"\xff\xfe\n", b"null\n", b"[" * 9000 + b"\n", b'{"public_key":1,"principal":2}\n'],
    )
    async def test_nonsense_gets_an_answer_and_hurts_nobody(self, socket, public_key, line):
        reader, writer = await asyncio.open_unix_connection(str(socket))
        writer.write(line)
        assert "certificate" not in json.loads(await reader.readline())
        writer.close()
        await SocketSigner(socket).sign(Wanted(public_key, ACCOUNT, NAMES))

    async def test_a_line_without_end_is_dropped(self, socket, public_key):
        reader, writer = await asyncio.open_unix_connection(str(socket))
        writer.write(b"x" * 100_000)
        assert await reader.read() == b""
        writer.close()
        await SocketSigner(socket).sign(Wanted(public_key, ACCOUNT, NAMES))

    async def test_a_second_authority_on_the_socket_is_refused(self, socket, authority):
        with pytest.raises(Conflict):
            await serve(socket, authority)

    async def test_a_socket_left_over_is_taken(self, authority, tmp_path, public_key):
        path = tmp_path / "left"
        server = await asyncio.start_unix_server(lambda _reader, writer: writer.close(), str(path))
        server.close()
        await server.wait_closed()
        assert path.is_socket()
        async with serving(authority, path):
            async with asyncio.timeout(10):
                while True:
                    try:
                        return await SocketSigner(path).sign(Wanted(public_key, ACCOUNT, NAMES))
                    except Unreachable:
                        await asyncio.sleep(0.01)

    async def test_an_authority_that_answers_nonsense_is_broken(self, tmp_path, public_key):
        async def answer(_reader, writer):
            writer.write(b"[1]\n")
            writer.close()

        async with await asyncio.start_unix_server(answer, str(tmp_path / "odd")):
            with pytest.raises(Broken):
                await SocketSigner(tmp_path / "odd").sign(Wanted(public_key, ACCOUNT, NAMES))

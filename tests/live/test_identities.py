"""Wrong identities at a real centre's sshd: each is refused, and the right one, tried at the same time, is not."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import pytest

from paracloud.transports.ssh import Address, connect
from paralab.running import RunningCentre, RunningLab

pytestmark = pytest.mark.live
KEY_ID = "tenant=test;user=test;req=identities"


@dataclass(frozen=True)
class Identity:
    """What a login shows; the defaults are right."""

    account: str
    principals: tuple[str, ...]
    authority: asyncssh.SSHKey
    key: asyncssh.SSHKey
    serial: int = 1
    begins: int = -60
    ends: int = 240
    source: tuple[str, ...] | None = None

    def certificate(self) -> str:
        now = int(time.time())
        signed = self.authority.generate_user_certificate(
            self.key,
            KEY_ID,
            serial=self.serial,
            principals=self.principals,
            valid_after=now + self.begins,
            valid_before=now + self.ends,
            source_address=self.source,
        )
        return signed.export_certificate("openssh").decode()


@pytest.fixture(scope="module")
def centre(lab: RunningLab) -> RunningCentre:
    return next(iter(lab.centres.values()))


@pytest.fixture(scope="module")
def right(centre: RunningCentre) -> Iterator[Identity]:
    """An identity of an authority that the centre trusts beside its own, while these tests run."""
    authority = asyncssh.generate_private_key("ssh-ed25519")
    trusted = (centre.site.folder / "ssh/trusted.pub").read_text()
    centre.trust(trusted + authority.export_public_key().decode())
    account = centre.pool[0]
    yield Identity(account, (account,), authority, asyncssh.generate_private_key("ssh-ed25519"))
    centre.trust(trusted)


async def login(centre: RunningCentre, identity: Identity, *, host_key: str | None = None) -> str:
    """Who one is after it."""
    address = Address(centre.host, centre.port, host_key or centre.host_key)
    async with await connect(address, identity.account, identity.key, identity.certificate()) as connection:
        return str((await connection.run("id -un", check=True)).stdout).strip()


async def refused(centre: RunningCentre, right: Identity, wrong: Identity) -> None:
    assert await login(centre, right) == right.account
    with pytest.raises(asyncssh.PermissionDenied):
        await login(centre, wrong)


async def test_another_tenants_account_is_refused(centre: RunningCentre, right: Identity):
    await refused(centre, right, replace(right, account=centre.pool[1]))


async def test_the_service_account_is_refused_to_a_tenant(centre: RunningCentre, right: Identity):
    await refused(centre, right, replace(right, account=centre.service_account))


async def test_root_is_refused_even_with_a_certificate_for_root(centre: RunningCentre, right: Identity):
    await refused(centre, right, replace(right, account="root", principals=("root",)))


async def test_a_foreign_authority_is_refused(centre: RunningCentre, right: Identity):
    await refused(centre, right, replace(right, authority=asyncssh.generate_private_key("ssh-ed25519")))


async def test_an_expired_certificate_is_refused(centre: RunningCentre, right: Identity):
    await refused(centre, right, replace(right, begins=-400, ends=-100))


async def test_a_certificate_that_is_not_valid_yet_is_refused(centre: RunningCentre, right: Identity):
    await refused(centre, right, replace(right, begins=100, ends=400))


async def test_a_certificate_without_a_principal_is_refused(centre: RunningCentre, right: Identity):
    await refused(centre, right, replace(right, principals=()))


async def test_a_wrong_source_address_is_refused(centre: RunningCentre, right: Identity):
    assert await login(centre, replace(right, source=("127.0.0.0/8",))) == right.account
    await refused(centre, right, replace(right, source=("192.0.2.0/24",)))


async def test_a_revoked_serial_is_refused(centre: RunningCentre, right: Identity, tmp_path: Path):
    revoked = centre.site.folder / "ssh/revoked"
    before = revoked.read_bytes()
    (tmp_path / "authority.pub").write_bytes(right.authority.export_public_key())
    (tmp_path / "serials").write_text("serial: 666\n")
    krl = [
        "ssh-keygen",
        "-q",
        "-k",
        "-f",
        str(revoked),
        "-s",
        str(tmp_path / "authority.pub"),
        str(tmp_path / "serials"),
    ]
    assert await login(centre, replace(right, serial=666)) == right.account
    subprocess.run(krl, check=True)
    try:
        await refused(centre, right, replace(right, serial=666))
    finally:
        revoked.write_bytes(before)


async def test_a_key_without_a_certificate_is_refused(centre: RunningCentre, right: Identity):
    address = Address(centre.host, centre.port, centre.host_key)
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(address, right.account, right.key, None)


async def test_an_unknown_host_is_refused_by_us(centre: RunningCentre, right: Identity):
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    assert await login(centre, right) == right.account
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await login(centre, right, host_key=stranger)

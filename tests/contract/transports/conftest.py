"""Every transport, one after the other."""

from collections.abc import AsyncIterator

import pytest
from tests.contract.platform_ssh import CENTRE, Stand, open_folder, standing
from tests.contract.transports.machine import ACCOUNT, Machine

from paracloud.transports.local import LocalTransport
from paracloud.transports.recorded import RecordedTransport
from paracloud.transports.transport import Transport


@pytest.fixture(scope="session")
async def stand() -> AsyncIterator[Stand]:
    async with standing() as stand:
        yield stand


@pytest.fixture(scope="session")
async def ssh(stand: Stand) -> AsyncIterator[Machine]:
    async with stand.reach() as reach:
        transport = await reach.to(CENTRE, ACCOUNT, purpose="user/contract")
        yield Machine(transport, stand.sshd.homes[ACCOUNT])


@pytest.fixture(scope="session")
def local() -> Machine:
    with open_folder() as home:
        yield Machine(LocalTransport(home), home)


@pytest.fixture(params=["ssh", "local"])
def machine(request: pytest.FixtureRequest) -> Machine:
    """Where programs really run."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["ssh", "local", "recorded"])
def files(request: pytest.FixtureRequest) -> Transport:
    return RecordedTransport() if request.param == "recorded" else request.getfixturevalue(request.param).transport


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """A directory for this test alone."""
    return f"files/{abs(hash(request.node.nodeid))}"

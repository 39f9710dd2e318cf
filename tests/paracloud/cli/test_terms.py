"""The operator changes what a centre was connected with; of another address or key somebody must vouch for the key."""

import json

import asyncssh
import pytest
from tests.paracloud.jobs.world import HOST_KEY


@pytest.fixture
def login_node(served):
    """A machine with a host key: its port, its public key's line, its fingerprint."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    listening = served.do(_listen(key))
    line = " ".join(key.export_public_key("openssh").decode().split()[:2])
    yield listening.get_port(), line, key.get_fingerprint()
    listening.close()
    served.do(listening.wait_closed())


async def _listen(key):
    return await asyncssh.listen("127.0.0.1", 0, server_host_keys=[key])


def test_terms_are_shown_and_changed_for_a_reason(terminal, lin, boss):
    shown = terminal.say(boss, "centre", "set", "west")
    assert HOST_KEY in shown
    for words in (["--region", "华北"], ["--reason", "x"]):
        assert terminal.run(boss, "centre", "set", "west", *words).returncode == 2
    said = terminal.say(
        boss, "centre", "set", "west", "--region", "华北", "--commands-per-minute", "30", "--reason", "it asked for it",
        language="zh_CN.UTF-8",
    )  # fmt: skip
    assert all(word in said for word in ("命令预算/分", "主机密钥", "华北", "30"))
    centre = next(one for one in json.loads(terminal.say(lin, "centres", "--json"))["items"] if one["name"] == "west")
    assert (centre["region"], centre["commands_per_minute"]) == ("华北", 30)
    assert terminal.run(lin, "centre", "set", "west").returncode == 1


def test_another_address_is_taken_with_a_host_key_that_somebody_vouches_for(terminal, boss, login_node):
    port, line, fingerprint = login_node
    words = ["centre", "set", "west", "--host", "localhost", "--port", str(port), "--reason", "it has moved"]
    unasked = terminal.run(boss, *words)
    assert (unasked.returncode, fingerprint in unasked.stderr) == (2, True), unasked.stderr
    foreign = terminal.run(boss, *words, "--fingerprint", "SHA256:of-another-machine")
    assert (foreign.returncode, fingerprint in foreign.stderr) == (2, True)
    assert json.loads(terminal.say(boss, "centre", "set", "west", "--json"))["host"] == "127.0.0.1"
    found = json.loads(terminal.say(boss, *words, "--fingerprint", fingerprint, "--json"))
    assert (found["host"], found["port"], found["host_key"]) == ("localhost", port, line)
    again = terminal.run(boss, "centre", "set", "west", "--new-key", "--reason", "the disk was new")
    assert (again.returncode, fingerprint in again.stderr) == (2, True), "shown again, and pinned only by a word"

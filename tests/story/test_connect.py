"""A centre is connected by one command of the operator's, or is told what it lacks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.stage import Stage

from paracloud.wire.surveys import HostKeyRequest
from paralab.running import RunningCentre

NAME = "again"
COMMAND = Path(sys.executable).with_name("paracloud")


def connect(stage: Stage, centre: RunningCentre, *options: str) -> subprocess.CompletedProcess[str]:
    """By the command line, as the operator, with accounts that no other test uses."""
    token = (stage.folder / "state/operator.token").read_text().strip()
    accounts = f"{centre.name}[190-192]"
    words = ["centre", "connect", centre.host, "--name", NAME, "--port", str(centre.port), "--account", accounts]
    words += ["--service-account", centre.service_account, *options]
    return subprocess.run(
        [str(COMMAND), *words],
        env=os.environ | {"PARACLOUD_URL": stage.url, "PARACLOUD_TOKEN": token, "PARACLOUD_LANGUAGE": "en"},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=240,
    )  # fmt: skip


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(done.stdout)


def test_a_centre_is_connected_by_one_command(stage: Stage, tmp_path: Path):
    centre = stage.lab.centres["west"]
    unasked = connect(stage, centre)
    assert unasked.returncode == 2  # nobody is there to say yes
    assert "SHA256:" in unasked.stderr
    foreign = connect(stage, centre, "--fingerprint", "SHA256:of-another-machine")
    assert foreign.returncode == 2
    fingerprint = next(word for word in unasked.stderr.split() if word.startswith("SHA256:"))
    options = ("--fingerprint", fingerprint, "--queue", "debug", "--json")
    key = tmp_path / "west.pub"
    key.write_text(centre.host_key)
    both = connect(stage, centre, "--host-key", str(key), "--fingerprint", "SHA256:of-another-machine", "--look")
    assert (both.returncode, "of-another-machine" in both.stderr) == (2, True)

    looked = connect(stage, centre, *options, "--look")
    assert looked.returncode == 0, looked.stderr
    assert (told(looked)["is_fit"], told(looked)["is_connected"]) == (True, False)
    assert NAME not in {one.name for one in stage.operator.centres().items}

    done = connect(stage, centre, *options)
    assert done.returncode == 0, done.stderr
    assert told(done)["is_connected"] is True
    found = next(one for one in stage.operator.centres().items if one.name == NAME)
    assert (found.dialect, found.commands_per_minute) == ("slurm", 240)


def test_what_can_be_known_beforehand_is_said_before_the_machine_is_asked(stage: Stage):
    """Of one that does not answer nothing else could be said."""
    east = stage.lab.centres["east"]

    def refused(*options: str) -> str:
        done = connect(stage, east, "--port", "1", *options)
        assert done.returncode != 0
        assert "does not answer" not in done.stderr
        return done.stderr

    assert "name: 'No Name!' is none" in refused("--name", "No Name!", "--look")
    assert "--wait-seconds" in refused("--wait-seconds", "9999")
    assert "named east is connected already" in refused("--name", "east")


def test_what_is_missing_is_said_and_nothing_is_connected(stage: Stage):
    centre = stage.lab.centres["east"]
    done = connect(
        stage, centre, "--fingerprint", _fingerprint(stage, centre), "--queue", "nowhere", "--name", "lacking", "--json"
    )
    assert done.returncode == 1
    lacking = [one["what"] for one in told(done)["findings"] if one["level"] == "missing"]
    assert lacking == ["submission"]
    assert told(done)["is_connected"] is False


def _fingerprint(stage: Stage, centre: RunningCentre) -> str:
    return stage.operator.host_key(HostKeyRequest(host=centre.host, port=centre.port)).fingerprint

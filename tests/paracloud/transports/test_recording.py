"""A recording of a real machine plays as the machine answered."""

from pathlib import Path

import pytest

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.local import LocalTransport
from paracloud.transports.recorded import Exchange, RecordedReach, RecordedTransport
from paracloud.transports.recording import RecordingTransport, load, save


async def test_what_was_recorded_and_saved_plays_the_same(tmp_path: Path):
    recorder = RecordingTransport(LocalTransport(tmp_path))
    real = [
        await recorder.run(("printf", "%s", "作业\udcff\\n")),
        await recorder.run(("cat",), stdin=bytes(range(256))),
        await recorder.run(("head", "-c", "100", "/dev/zero"), limit_bytes=10),
    ]
    save(recorder.exchanges, tmp_path / "recording.json")
    player = RecordedTransport(load(tmp_path / "recording.json"))
    assert await player.run(("cat",), stdin=bytes(range(256))) == real[1]
    assert await player.run(("printf", "%s", "作业\udcff\\n")) == real[0]
    assert await player.run(("head", "-c", "100", "/dev/zero")) == real[2]


async def test_a_lost_line_is_recorded_as_one(tmp_path: Path):
    recorder = RecordingTransport(RecordedTransport([Exchange(("sbatch",), None)]))
    with pytest.raises(Unreachable):
        await recorder.run(("sbatch",))
    save(recorder.exchanges, tmp_path / "recording.json")
    assert load(tmp_path / "recording.json") == [Exchange(("sbatch",), None)]


@pytest.mark.parametrize("text", ["", "{", '["a"]', '[{"argv": 1, "stdin": "", "answer": null}]', "[{}]"])
def test_a_file_that_is_no_recording_is_broken(tmp_path: Path, text: str):
    (tmp_path / "recording.json").write_text(text)
    with pytest.raises(Broken):
        load(tmp_path / "recording.json")


async def test_a_reach_knows_what_it_was_given():
    east, pc01 = CentreName("east"), UnixAccount("pc01")
    reach = RecordedReach({(east, pc01): RecordedTransport([Exchange(("true",), Completed(0, b"", b""))])})
    assert (await (await reach.to(east, pc01, purpose="user/x")).run(("true",))).exit_status == 0
    with pytest.raises(Unreachable):
        await reach.to(CentreName("west"), pc01, purpose="user/x")

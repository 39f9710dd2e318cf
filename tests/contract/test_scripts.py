"""What every script must do, whatever its scheduler: it runs what the user wrote as he wrote it, once, and says nothing
to the scheduler that the platform did not."""

import contextlib
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.scripted import REQUEST, SCRIPTED

from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.monitor import COLLECTORS, PROFILE
from paracloud.kit.errors import Invalid, TooLarge, Unsupported

HOSTILE = """it's "q" $(touch pwned) `touch pwned` | & ; < > * ? ~ # ! \\ 中文 %x"""
each_scheduler = pytest.mark.parametrize("scripted", SCRIPTED, ids=lambda one: one.name)


@each_scheduler
def test_the_users_script_runs_in_the_work_directory_with_its_name_and_environment(scripted, tmp_path):
    text = '#!/bin/bash\nprintf "%s\\n" "$SLURM_JOB_NAME" "$A" "$PWD" "$SLURM_SUBMIT_DIR"\n'
    done = scripted.start(tmp_path, name=HOSTILE, script=text, environment={"A": HOSTILE + "\nmore"})
    place = str(tmp_path / REQUEST.work_directory)
    assert done.stdout.splitlines() == [HOSTILE, HOSTILE, "more", place, place]
    assert not list(tmp_path.rglob("pwned"))


@each_scheduler
def test_a_hostile_work_directory_is_only_a_directory(scripted, tmp_path):
    place = 'it\'s "q" $(touch pwned) `touch pwned` -x'
    done = scripted.start(tmp_path, work_directory=place, script="#!/bin/bash\npwd\n")
    assert done.stdout == f"{tmp_path}/{place}\n"
    assert not list(tmp_path.rglob("pwned"))


@each_scheduler
@pytest.mark.parametrize(
    ("shebang", "text", "said"),
    [
        ("#!/usr/bin/env python3", "import sys; print('python', len(sys.argv))", "python 1\n"),
        ("#!/bin/sh -e", "false; echo not reached", ""),
        ("# no shebang", "echo ${BASH_VERSION:+bash}", "bash\n"),
        ("#!/bin/cat", "itself", "#!/bin/cat\nitself\n"),
    ],
)
def test_the_users_interpreter_is_obeyed(scripted, tmp_path, shebang, text, said):
    assert scripted.start(tmp_path, script=f"{shebang}\n{text}\n").stdout == said


@each_scheduler
def test_the_exit_code_is_the_users(scripted, tmp_path):
    assert scripted.start(tmp_path, script="#!/bin/bash\nexit 42").returncode == 42


@each_scheduler
def test_a_path_that_the_user_sets_does_not_keep_the_script_from_starting(scripted, tmp_path):
    done = scripted.start(tmp_path, environment={"PATH": "/nowhere"}, script="#!/bin/bash\necho $PATH\n")
    assert done.stdout == "/nowhere\n"


@each_scheduler
def test_a_duplicate_runs_nothing_and_ends_well_and_a_job_that_is_started_again_runs(scripted, tmp_path):
    text = "#!/bin/bash\necho $SLURM_JOB_ID >>~/runs\n"
    for job in ("41000", "41001", "41000"):
        done = scripted.start(tmp_path, job, script=text)
        assert done.returncode == 0
        assert ("41001 is a duplicate" in done.stdout + done.stderr) is (job == "41001")
        (tmp_path / REQUEST.work_directory / REQUEST.output).unlink(missing_ok=True)
    assert (tmp_path / "runs").read_text() == "41000\n41000\n"


@each_scheduler
def test_a_job_is_watched_by_its_number_and_not_at_all_where_its_user_or_the_centre_has_no_collector(
    scripted, tmp_path
):
    collector = tmp_path / COLLECTORS / "x.pyz"
    collector.parent.mkdir(parents=True)
    collector.write_text("import sys; a = sys.argv; open(a[a.index('--folder') + 1] + '.said', 'w').write(' '.join(a))")
    scripted.start(tmp_path, is_monitored=False, collector="x.pyz")
    scripted.start(tmp_path, job="41001", tag="f" * 32, is_monitored=True)
    assert not list(tmp_path.rglob("*.said"))
    done = scripted.start(tmp_path, job="41002", tag="e" * 32, is_monitored=True, collector="x.pyz")
    said = until_there(tmp_path / GUARD_FOLDER / ("e" * 32) / f"{PROFILE}.said")
    assert "--mark SLURM_JOB_ID=41002 " in said
    assert f"--scheduler {'pbs' if scripted.mark == '#PBS ' else scripted.name}" in said
    assert done.stdout.endswith("ran in 41002\n")


@pytest.mark.parametrize("scripted", [one for one in SCRIPTED if one.name != "gridengine"], ids=lambda one: one.name)
@pytest.mark.parametrize("pythons", [("python3.10",), ("python3", "python3.13", "python3.9")])
def test_the_collector_is_called_by_python3_or_by_what_there_is(scripted, tmp_path, monkeypatch, pythons):
    """Whether that is new enough the collector knows. Grid Engine's jobs have the PATH of a login."""
    path = tmp_path / "bin"
    path.mkdir()
    for one in Path("/usr/bin").iterdir():
        if not one.name.startswith("python"):
            (path / one.name).symlink_to(one)
    for name in pythons:
        (path / name).write_text(
            '#!/bin/sh\nprintf "%s " "$0" "$@" >"$HOME/called.new" && mv "$HOME/called.new" "$HOME/called"\n'
        )
        (path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(path))
    collector = tmp_path / COLLECTORS / "x.pyz"
    collector.parent.mkdir(parents=True)
    collector.touch()
    scripted.start(tmp_path, is_monitored=True, collector="x.pyz")
    assert until_there(tmp_path / "called").startswith(f"{path / pythons[0]} -I {collector} watch --pid ")


def until_there(file: Path) -> str:
    """The collector is nobody's child: no one else knows when it has begun."""
    end = time.monotonic() + 30
    while not (file.exists() and (text := file.read_text())):
        assert time.monotonic() < end, "nothing watched"
        time.sleep(0.05)
    return text


@each_scheduler
def test_a_home_that_cannot_be_written_to_runs_nothing_and_says_so(scripted, tmp_path):
    (tmp_path / ".paracloud").write_text("in the way")
    done = scripted.start(tmp_path)
    assert ("ran in" in done.stdout, done.returncode) == (False, 73)
    assert "Nothing was run" in done.stdout + done.stderr


@each_scheduler
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": "a\nb"}),
        ("name", {"name": "a\x1b[0m"}),
        ("name", {"name": ""}),
        ("tag", {"tag": "x"}),
        ("script", {"script": "#!/bin/bash\0"}),
        ("script", {"script": "#!python3\n"}),
        ("script", {"script": "\ud800"}),
        ("tasks", {"tasks": 0}),
        ("cores_per_task", {"cores_per_task": -1}),
        ("nodes", {"nodes": 0}),
        ("wall_limit", {"wall_limit": timedelta(0)}),
        ("gpus_per_node", {"gpus_per_node": -1}),
        ("gpu_model", {"gpus_per_node": 1, "gpu_model": "a:b"}),
        ("array", {"array": "0-9;id"}),
        ("depends_on", {"depends_on": (("afterok", "7:8"),)}),
        ("memory_per_core_bytes", {"memory_per_core_bytes": 1, "memory_per_node_bytes": 1}),
        ("work_directory", {"work_directory": "a%b"}),
        ("environment", {"environment": {"A B": "1"}}),
        ("environment", {"environment": {"UID": "0"}}),
        ("environment", {"environment": {"A": "\0"}}),
    ],
)
def test_what_no_scheduler_can_be_told_is_refused_by_field(scripted, field, change):
    with pytest.raises(Invalid) as caught:
        scripted.head(**change)
    assert caught.value.field == field


@each_scheduler
@pytest.mark.parametrize("option", ["uid", "wrap", "job-name", "chdir", "dependency", "export", "x y", "qos=a --uid"])
def test_an_option_that_is_the_platforms_own_or_unknown_is_unsupported_by_name(scripted, option):
    with pytest.raises(Unsupported) as caught:
        scripted.head(extra={option: "1"})
    assert caught.value.field == option


@each_scheduler
def test_a_script_beyond_the_limit_is_too_large(scripted):
    with pytest.raises(TooLarge):
        scripted.head(script="#!/bin/bash\n" + "#" * 4_000_000)


@each_scheduler
@given(text=st.text(max_size=200))
def test_no_text_of_a_user_adds_a_directive(scripted, text):
    lines = len(scripted.head())
    with contextlib.suppress(Invalid):
        changed = scripted.head(name=text or "x", output=text or "o", queue=text or "q")
        assert len(changed) == lines

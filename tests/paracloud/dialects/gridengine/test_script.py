"""The script is run by a real bash here, as a batch job's would be; that Grid Engine reads its directives is a live
test."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.dialects.gridengine.script import folders_of, script
from paracloud.dialects.records import Request
from paracloud.jobs.directives import DIRECTIVES, Use
from paracloud.kit.errors import Invalid, TooLarge, Unsupported

TAG = "0123456789abcdef0123456789abcdef"
PLAIN = Request(
    tag=TAG,
    name="melt",
    script="#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
    work_directory="paracloud/one",
    queue="cpu",
    tasks=1,
    cores_per_task=1,
    wall_limit=timedelta(hours=1, minutes=30),
    output="out.txt",
)
HOSTILE = """it's "q" $(touch pwned) `touch pwned` | & ; < > * ? ~ # ! \\ 中文 %x"""


def process(home: Path, request: Request, job="41000", **variables: str) -> subprocess.Popen[str]:
    (home / request.work_directory).mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "JOB_ID": job, "NSLOTS": "1", **variables}
    (home / "script").write_text(script(request))
    return subprocess.Popen(
        ["/bin/bash", home / "script"],
        env={"SGE_TASK_ID": "undefined", **environment},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def start(home: Path, request: Request, job="41000", **variables: str) -> subprocess.CompletedProcess[str]:
    """Its output is what went to the job's own file."""
    done = process(home, request, job, **variables)
    _, said = done.communicate(timeout=30)
    file = home / request.work_directory / request.output
    return subprocess.CompletedProcess([], done.returncode, file.read_text() if file.is_file() else "", said)


def task(number: int, last: int = 9) -> dict[str, str]:
    values = {"ID": number, "FIRST": 1, "LAST": last, "STEPSIZE": 1}
    return {f"SGE_TASK_{name}": str(value) for name, value in values.items()}


def head(request: Request) -> list[str]:
    lines = script(request).splitlines()
    return [line.removeprefix("#$ ") for line in lines[: lines.index(lines[-1])] if line.startswith("#$ ")]


def test_a_plain_request_becomes_options_of_qsub():
    said = f"-j y -o $HOME/.paracloud/jobs/{TAG}/said"
    assert head(PLAIN) == [f"-N pc-{TAG}", "-q cpu", "-S /bin/bash", said, "-w e", "-m n", "-r n", "-l h_rt=5400"]


def test_every_field_of_a_request_becomes_an_option():
    full = replace(
        PLAIN,
        tasks=4,
        memory_per_node_bytes=(1 << 30) + 1,
        gpus_per_node=2,
        gpu_model="a100",
        array="0-9:3%4",
        depends_on=(("afterok", "7"), ("afterany", "8")),
        requeue=True,
        hold=True,
        extra={"nice": "100", "begin": "2026-11-30T12:00", "kill-on-invalid-dep": "yes", "comment": "x"},
    )
    expected = ["-r y", "-l h_vmem=257M", "-l gpu=2", "-l gpu_model=a100", "-t 1-10:3", "-tc 4", "-hold_jid 7,8", "-h"]
    assert {*expected, "-p -100", "-a 202611301200.00"} <= set(head(full))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"tasks": 3, "cores_per_task": 4}, "$pe_slots 12 cpu"),
        ({"tasks": 3}, "$fill_up 3 cpu"),
        ({"tasks": 3, "memory_per_node_bytes": 1 << 30}, "$pe_slots 3 cpu"),
        ({"tasks": 3, "gpus_per_node": 1}, "$pe_slots 3 cpu"),
        ({"tasks": 6, "nodes": 3}, "2 6 cpu"),
        ({"tasks": 6, "tasks_per_node": 2, "cores_per_task": 2}, "4 12 cpu"),
    ],
)
def test_slots_are_spread_as_the_request_says(changes, line):
    assert f"#paracloud-parallel {line}\n" in script(replace(PLAIN, **changes))


def test_a_started_second_of_the_limit_counts_whole():
    assert "-l h_rt=61" in head(replace(PLAIN, wall_limit=timedelta(minutes=1, milliseconds=1)))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": "a\nb"}),
        ("tag", {"tag": "x"}),
        ("script", {"script": "#!/bin/bash\0"}),
        ("tasks", {"tasks": 0}),
        ("work_directory", {"work_directory": "a%b"}),
        ("work_directory", {"work_directory": "a\nb"}),
        ("partition", {"queue": "cpu\n#$ -P x"}),
        ("partition", {"queue": "cpu@host"}),
        ("output", {"output": "a\r"}),
        ("error", {"error": ""}),
        ("array", {"array": "0-9;id"}),
        ("depends_on", {"depends_on": (("afterok", "7:8"),)}),
        ("environment", {"environment": {"A B": "1"}}),
        ("comment", {"extra": {"comment": "a\nb"}}),
    ],
)
def test_what_no_scheduler_can_be_told_is_refused_by_field(field, change):
    with pytest.raises(Invalid) as caught:
        script(replace(PLAIN, **change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("array", {"array": "1,3,7"}),
        ("exclusive", {"exclusive": True}),
        ("depends_on", {"depends_on": (("after", "7"),)}),
        ("gpus_per_node", {"gpus_per_node": 1, "nodes": 2, "tasks": 2}),
        ("nodes", {"nodes": 2, "tasks": 3}),
        ("tasks_per_node", {"tasks_per_node": 2, "tasks": 3}),
        *[(name, {"extra": {name: "1"}}) for name in ("qos", "constraint", "licenses", "mincpus", "uid", "x y")],
        ("begin", {"extra": {"begin": "tomorrow"}}),
        ("signal", {"extra": {"signal": "$(id)"}}),
        ("kill-on-invalid-dep", {"extra": {"kill-on-invalid-dep": "no"}}),
    ],
)
def test_what_grid_engine_cannot_do_is_refused_by_name_in_both_languages(field, change):
    with pytest.raises(Unsupported) as caught:
        script(replace(PLAIN, **change))
    assert caught.value.field == field
    assert "Grid Engine" in caught.value.en
    assert "Grid Engine" in caught.value.zh


def test_every_option_that_a_users_script_may_pass_is_said_or_refused_by_its_name():
    for name in (one.name for one in DIRECTIVES if one.use in {Use.PASSED, Use.COUNTED}):
        with contextlib.suppress(Unsupported):
            script(replace(PLAIN, extra={name: ""}))


def test_a_script_beyond_the_limit_is_too_large():
    with pytest.raises(TooLarge):
        script(replace(PLAIN, script="#!/bin/bash\n" + "#" * 4_000_000))


def test_the_users_script_runs_in_the_work_directory_with_its_name_and_environment(tmp_path):
    text = '#!/bin/bash\nprintf "%s\\n" "$SLURM_JOB_NAME" "$A" "$PWD" "$SLURM_SUBMIT_DIR"\n'
    done = start(tmp_path, replace(PLAIN, name=HOSTILE, script=text, environment={"A": HOSTILE + "\nmore"}))
    place = str(tmp_path / "paracloud/one")
    assert done.stdout.splitlines() == [HOSTILE, HOSTILE, "more", place, place]
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("hostile", ["a$HOME b", "it's $(touch pwned)", "`touch pwned`;x", '"q" & x'])
def test_an_output_of_any_name_is_only_a_file(tmp_path, hostile):
    job = replace(PLAIN, output=f"{hostile}.%j", script="#!/bin/bash\necho here\n")
    start(tmp_path, job)
    assert (tmp_path / job.work_directory / f"{hostile}.41000").read_text() == "here\n"
    assert not list(tmp_path.rglob("pwned"))


def test_patterns_of_output_names_are_slurms_own(tmp_path):
    job = replace(PLAIN, name="a/b", output="%x.%A_%a.%3a.%j.%%.%s", error="%x.err", array="0-9")
    start(tmp_path, replace(job, script="#!/bin/bash\necho here; echo there >&2\n"), **task(3))
    place = tmp_path / job.work_directory
    assert (place / "a_b.41000_2.002.410000000003.%.batch").read_text() == "here\n"
    assert (place / "a_b.err").read_text() == "there\n"


def test_output_is_added_to_unless_the_user_says_truncate(tmp_path):
    for _ in range(2):
        whole = start(tmp_path, PLAIN).stdout
    assert whole == "ran in 41000\n" * 2
    assert start(tmp_path, replace(PLAIN, extra={"open-mode": "truncate"})).stdout == "ran in 41000\n"


def test_an_output_that_cannot_be_written_runs_nothing_and_says_so(tmp_path):
    done = start(tmp_path, replace(PLAIN, output="missing/out"))
    assert done.returncode == 73
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("shebang", "text", "said"),
    [
        ("#!/usr/bin/env python3", "import sys; print('python', len(sys.argv))", "python 1\n"),
        ("#!/bin/sh -e", "false; echo not reached", ""),
        ("#!/bin/cat", "itself", "#!/bin/cat\nitself\n"),
    ],
)
def test_the_users_interpreter_is_obeyed(tmp_path, shebang, text, said):
    assert start(tmp_path, replace(PLAIN, script=f"{shebang}\n{text}\n")).stdout == said


@pytest.mark.parametrize(("end", "code"), [("exit 42", 42), ("kill -SEGV $$", 139)])
def test_the_exit_code_is_the_users(tmp_path, end, code):
    assert start(tmp_path, replace(PLAIN, script=f"#!/bin/bash\n{end}")).returncode == code


def test_a_path_that_the_user_sets_does_not_keep_the_script_from_starting(tmp_path):
    done = start(tmp_path, replace(PLAIN, environment={"PATH": "/nowhere"}, script="#!/bin/bash\necho $PATH\n"))
    assert done.stdout == "/nowhere\n"


def test_a_duplicate_runs_nothing_and_ends_well_and_a_job_that_is_started_again_runs(tmp_path):
    assert start(tmp_path, PLAIN, "41000").stdout == "ran in 41000\n"
    second = start(tmp_path, PLAIN, "41001")
    assert (second.stdout.count("ran in"), second.returncode) == (1, 0)
    assert "41001 is a duplicate" in second.stdout
    assert start(tmp_path, PLAIN, "41000").stdout.count("ran in") == 2


def test_each_task_of_an_array_runs_once_under_a_number_of_its_own(tmp_path):
    job = replace(PLAIN, array="0-1")
    for number in (1, 2, 1):
        start(tmp_path, job, "41000", **task(number))
    whole = start(tmp_path, job, "41001", **task(2)).stdout
    assert [line for line in whole.splitlines() if line.startswith("ran in")] == [
        "ran in 410000000001",
        "ran in 410000000002",
        "ran in 410000000001",
    ]


def test_slurms_variables_come_from_the_hosts_that_the_job_has(tmp_path):
    (tmp_path / "hosts").write_text("n1.centre.cn 4 cpu@n1 UNDEFINED\nn2 2 cpu@n2 UNDEFINED\n")
    text = "#!/bin/bash\necho $SLURM_JOB_NODELIST $SLURM_NNODES $SLURM_TASKS_PER_NODE $SLURM_JOB_CPUS_PER_NODE\n"
    job = replace(PLAIN, tasks=3, cores_per_task=2, script=text)
    done = start(tmp_path, job, PE_HOSTFILE=str(tmp_path / "hosts"), NSLOTS="6")
    assert done.stdout == "n1,n2 2 2,1 4,2\n"


def test_a_job_that_was_started_again_is_told_so(tmp_path):
    job = replace(PLAIN, script='#!/bin/bash\necho "${SLURM_RESTART_COUNT-unset}"\n')
    assert start(tmp_path, job, RESTARTED="0").stdout == "unset\n"
    assert start(tmp_path, job, RESTARTED="1").stdout == "unset\n1\n"


def test_how_a_job_ended_decides_on_those_that_wait_for_it(tmp_path):
    start(tmp_path, replace(PLAIN, tag="a" * 32, script="#!/bin/bash\nexit 3\n"), "7")
    array = replace(PLAIN, tag="b" * 32, array="0-1")
    start(tmp_path, array, "8", **task(1, 2))

    def code(kind: str, on: str) -> int:
        return start(tmp_path, replace(PLAIN, depends_on=((kind, on),))).returncode

    assert [code(kind, "7") for kind in ("afterok", "afternotok", "afterany")] == [75, 0, 0]
    assert code("afterok", "8") == 75, "one task of two has not ended well"
    start(tmp_path, array, "8", **task(2, 2))
    assert [code(kind, "8") for kind in ("afterok", "afternotok")] == [0, 75]
    assert code("afterok", "9") == 75, "it was killed, or never ran"


def test_a_script_that_waits_for_all_its_children_does_not_wait_for_ours(tmp_path):
    text = "#!/usr/bin/env python3\nimport os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    print('none')\n"
    assert start(tmp_path, replace(PLAIN, script=text)).stdout == "none\n"


def srun(tmp_path: Path, words: str, **changes) -> subprocess.CompletedProcess[str]:
    """With an mpirun that says what it was told and runs the first task."""
    program = tmp_path / "bin/mpirun"
    program.parent.mkdir(exist_ok=True)
    program.write_text('#!/bin/bash\nset -- "$@"; [ "$1" = --version ] || { echo "told ${*:1:2}"; "${@:3}"; }\n')
    program.chmod(0o755)
    paths = "PATH=${PATH%%:*}:$HOME/bin:/usr/bin:/bin"
    return start(tmp_path, replace(PLAIN, script=f"#!/bin/bash\n{paths}\n{words}\n", **changes))


def test_srun_starts_the_jobs_tasks_by_the_sites_mpirun(tmp_path):
    done = srun(
        tmp_path,
        "srun --mpi=pmix -c 2 bash -c 'echo $SLURM_PROCID $SLURM_STEP_NUM_TASKS \"$0\"' 'a  b'",
        tasks=3,
        cores_per_task=2,
    )
    assert done.stdout.splitlines() == ["told -n 3", "0 3 a  b"]


def test_srun_of_one_task_is_the_program_itself(tmp_path):
    done = srun(tmp_path, "srun -n1 bash -c 'echo $SLURM_PROCID; exit 5'; echo $?", tasks=3)
    assert done.stdout == "0\n5\n"


@pytest.mark.parametrize(
    "words", ["--pty bash", "-o x true", "-N 3 true", "-c 9 true", "-n many true", "--export=A true", ""]
)
def test_what_srun_cannot_do_is_an_error_that_names_it(tmp_path, words):
    done = srun(tmp_path, f"srun {words}; echo $?")
    assert done.stdout.splitlines()[-1] == "2"
    assert "srun: error: " in done.stdout
    assert not words or words.split()[0].partition("=")[0] in done.stdout


def test_what_the_job_leaves_behind_ends_with_it(tmp_path):
    done = process(tmp_path, replace(PLAIN, script="#!/bin/bash\nexec sleep 1000\n"))
    os.killpg(done.pid, signal.SIGKILL)
    done.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and members(done.pid):
        pass
    assert not members(done.pid)


def members(group: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = file.read_text().rpartition(")")[2].split()
            if int(words[2]) == group and words[0] != "Z":
                found.append(int(file.parent.name))
    return found


@given(st.text(max_size=60).filter(str.isprintable))
def test_folders_are_read_back_as_they_were_written(path):
    with contextlib.suppress(Invalid):
        assert folders_of(script(replace(PLAIN, work_directory=path, output=f"{path}/x")))[0] == path


@given(st.text(max_size=200))
def test_no_text_of_a_user_adds_an_option(text):
    lines = len(head(PLAIN))
    with contextlib.suppress(Invalid):
        assert len(head(replace(PLAIN, name=text or "x", output=text or "o", script="#!/bin/bash\n" + text))) == lines

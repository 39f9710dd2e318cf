"""The script is run by a real bash here, as a batch job's would be."""

from dataclasses import replace

import pytest
from tests.paracloud.dialects.pbs.started import HOSTILE, ON_NODES, PLAIN, start

from paracloud.data.paths import Execution, resolve_output
from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.dialects.task_numbers import job_number


def variables(home, request, make=openpbs, **more):
    said = replace(request, script="#!/bin/bash\nenv -0 | grep -z ^SLURM_ | tr '\\0' '\\n'\n", output="env")
    assert start(home, said, make, **more).returncode == 0
    text = (home / request.work_directory / "env").read_text()
    return dict(line.partition("=")[::2] for line in text.splitlines())


def test_the_users_script_runs_in_its_directory_and_writes_to_its_file(tmp_path):
    asked = replace(PLAIN, script="#!/bin/bash\npwd; echo $0; echo oops >&2; exit 3\n", error="err-%j")
    assert start(tmp_path, asked).returncode == 3
    place = tmp_path / "paracloud/one"
    assert (place / "slurm-41000.out").read_text().splitlines()[0] == str(place)
    assert (place / "err-41000").read_text() == "oops\n"


def test_a_job_finds_the_variables_that_slurm_would_give(tmp_path):
    found = variables(tmp_path, replace(ON_NODES, tasks=3, memory_per_node_bytes=1 << 30, gpus_per_node=2))
    assert (
        found
        | {
            "SLURM_JOB_ID": "41000",
            "SLURM_JOBID": "41000",
            "SLURM_JOB_NAME": "melt",
            "SLURM_JOB_PARTITION": "cpu",
            "SLURM_JOB_NODELIST": "n1,n2",
            "SLURM_JOB_NUM_NODES": "2",
            "SLURM_NNODES": "2",
            "SLURM_NTASKS": "3",
            "SLURM_CPUS_PER_TASK": "2",
            "SLURM_TASKS_PER_NODE": "2,1",
            "SLURM_JOB_CPUS_PER_NODE": "4,2",
            "SLURM_CPUS_ON_NODE": "4",
            "SLURM_MEM_PER_NODE": "1024",
            "SLURM_GPUS_ON_NODE": "2",
            "SLURM_PROCID": "0",
            "SLURM_SUBMIT_HOST": "login1",
            "SLURM_SUBMIT_DIR": str(tmp_path / "paracloud/one"),
            "SLURM_JOB_USER": "alice",
        }
        == found
    )
    assert not any(name.startswith("SLURM_ARRAY") for name in found)


def test_mpi_does_not_take_the_variables_for_a_slurm(tmp_path):
    asked = replace(PLAIN, script="#!/bin/bash\necho $OMPI_MCA_plm $OMPI_MCA_ras $I_MPI_HYDRA_RMK\n")
    start(tmp_path, asked)
    assert (tmp_path / "paracloud/one/slurm-41000.out").read_text() == "^slurm ^slurm pbs\n"


def srun(home, request, words, launcher="Open MPI"):
    mpirun = f'[ "$1" != --version ] || exec echo "{launcher}"\nprintf "%s\\n" "$@"'
    (home / "bin").mkdir()
    for name, text in (("mpirun", mpirun), ("hello", "echo hi")):
        (home / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (home / "bin" / name).chmod(0o755)
    asked = replace(request, script=f"#!/bin/bash\nPATH=~/bin:$PATH\nsrun {words}\n", output="out")
    done = start(home, asked)
    return done.returncode, (home / request.work_directory / "out").read_text().splitlines()


def test_srun_of_one_task_is_the_command_itself(tmp_path):
    assert srun(tmp_path, replace(PLAIN, tasks=1), "-n1 -u hello") == (0, ["hi"])


def test_srun_starts_the_jobs_tasks_by_the_sites_mpirun(tmp_path):
    status, words = srun(tmp_path, ON_NODES, "--ntasks-per-node=2 -l hello there", launcher="Intel MPI")
    assert (status, words[:4]) == (0, ["-n", "4", "-machinefile", f"{tmp_path}/nodes"])
    assert words[-3:] == ["srun", "hello", "there"]


def test_open_mpi_is_told_where_tasks_of_several_cores_stand(tmp_path):
    _, words = srun(tmp_path, ON_NODES, "hello")
    assert words[words.index("--map-by") + 1] == "ppr:2:node"
    assert "SLURM_JOB_ID" in words
    assert "PBS_JOBID" not in words


@pytest.mark.parametrize("words", ["--multi-prog hello", "-N 3 hello", "-n x hello", "--export=NONE hello", "-n 2"])
def test_what_srun_cannot_do_here_is_an_error_that_names_it(tmp_path, words):
    status, said = srun(tmp_path, ON_NODES, words)
    assert (status, said[0].startswith("srun: error: ")) == (2, True)


def test_equal_nodes_are_told_as_slurm_tells_them(tmp_path):
    assert variables(tmp_path, ON_NODES)["SLURM_TASKS_PER_NODE"] == "2(x2)"


@pytest.mark.parametrize(
    ("make", "job", "index"),
    [
        (openpbs, "41000[5].pbs1", {"PBS_ARRAY_INDEX": "5"}),
        (torque, "41000[5].pbs1", {"PBS_ARRAYID": "5"}),
        (torque, "41000-5.pbs1", {"PBS_ARRAYID": "5"}),
    ],
)
def test_a_task_of_an_array_knows_which_it_is(tmp_path, make, job, index):
    found = variables(tmp_path, replace(PLAIN, array="1-9:4%2"), make, job=job, **index)
    assert (found["SLURM_JOB_ID"], found["SLURM_ARRAY_JOB_ID"], found["SLURM_ARRAY_TASK_ID"]) == (
        "410000000005",
        "41000",
        "5",
    )
    bounds = [found[f"SLURM_ARRAY_TASK_{name}"] for name in ("MIN", "MAX", "STEP", "COUNT")]
    assert bounds == ["1", "9", "4", "3"]


@pytest.mark.parametrize("pattern", ["slurm-%A_%a.out", "%j", "%5A-%3a", "logs/%x-%u", "%N.%n.%t.%s", "%%j %J", "it's"])
@pytest.mark.parametrize("array", [None, "0-9"])
def test_outputs_are_called_as_the_platform_looks_for_them(tmp_path, pattern, array):
    asked = replace(PLAIN, output=pattern, array=array, name="a/b 中")
    job = "41000.pbs1" if array is None else "41000[5].pbs1"
    done = start(tmp_path, asked, job=job, PBS_ARRAY_INDEX="5" if array else "")
    assert (done.returncode, done.stderr) == (0, "")
    execution = Execution(
        name=asked.name,
        native_id=job_number("41000" if array is None else "41000[5]"),
        array_id="41000",
        task_index=None if array is None else 5,
        account="alice",
        node="n1",
    )
    written = [path for path in (tmp_path / "paracloud/one").rglob("*") if path.is_file()]
    assert [str(path.relative_to(tmp_path / "paracloud/one")) for path in written] == [
        resolve_output(pattern, execution)
    ]


def test_outputs_are_appended_to_unless_the_user_says_otherwise(tmp_path):
    for mode, text in ((None, "ran in 41000\nran in 41000\n"), ("truncate", "ran in 41000\n")):
        asked = PLAIN if mode is None else replace(PLAIN, output="again", extra={"open-mode": mode})
        start(tmp_path, asked)
        start(tmp_path, asked)
        assert (tmp_path / "paracloud/one" / ("slurm-41000.out" if mode is None else "again")).read_text() == text


def test_an_output_that_cannot_be_written_runs_nothing(tmp_path):
    (tmp_path / "paracloud/one/slurm-41000.out").mkdir(parents=True)
    done = start(tmp_path, PLAIN)
    assert (done.returncode, "Nothing was run" in done.stderr) == (73, True)


def test_nothing_is_written_where_the_output_is_dev_null(tmp_path):
    assert start(tmp_path, replace(PLAIN, output="/dev/null")).returncode == 0
    assert list((tmp_path / "paracloud/one").iterdir()) == []


def test_hostile_values_reach_the_job_as_text(tmp_path):
    asked = replace(
        PLAIN,
        name=HOSTILE,
        work_directory=HOSTILE.replace("%x", "").replace("\\", ""),
        output=HOSTILE.replace("%x", ""),
        environment={"A": HOSTILE + "\nb"},
        script='#!/bin/bash\nprintf "%s" "$A|$SLURM_JOB_NAME"\n',
    )
    assert start(tmp_path, asked).returncode == 0
    place = tmp_path / asked.work_directory
    assert (place / asked.output).read_text() == f"{HOSTILE}\nb|{HOSTILE}"
    assert not list(tmp_path.rglob("pwned"))


def test_directives_in_the_users_own_script_say_nothing(tmp_path):
    text = "#!/bin/bash\n#PBS -h\n#SBATCH --hold\ntrue\n"
    lines = openpbs().script(replace(PLAIN, script=text)).splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert not any(line.startswith("#PBS -h") for line in lines[:first])
    assert start(tmp_path, replace(PLAIN, script=text)).returncode == 0

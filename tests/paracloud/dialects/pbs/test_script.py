"""What PBS is told of a job. That a real one reads its directives is not tested: Debian has none."""

from dataclasses import replace

import pytest
from tests.paracloud.dialects.pbs.started import PLAIN, TAG

from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.dialects.pbs.script import folders_of
from paracloud.kit.errors import Invalid, Unsupported

each_flavour = pytest.mark.parametrize("make", [openpbs, torque])


def head(request, make=openpbs):
    lines = make().script(request).splitlines()
    return [line.removeprefix("#PBS ") for line in lines if line.startswith("#PBS ")]


def resources(request, make=openpbs):
    return [line.removeprefix("-l ") for line in head(request, make) if line.startswith("-l ")][:-1]


def test_a_plain_request_becomes_directives_of_openpbs():
    assert head(PLAIN) == [
        f"-N pc-{TAG}",
        "-q cpu",
        "-l select=4:ncpus=2:mpiprocs=1",
        "-l place=free",
        "-l walltime=25:30:01",
        "-r n",
        "-m n",
        "-S /bin/bash",
        "-j oe",
        f"-o .paracloud/jobs/{TAG}/pbs.out",
    ]


def test_a_plain_request_becomes_directives_of_torque():
    assert head(PLAIN, torque)[2:4] == ["-l nodes=1:ppn=8", "-l walltime=25:30:01"]


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"nodes": 2}, ["select=2:ncpus=4:mpiprocs=2", "place=scatter"]),
        ({"nodes": 3}, ["select=1:ncpus=4:mpiprocs=2+2:ncpus=2:mpiprocs=1", "place=scatter"]),
        ({"tasks_per_node": 2}, ["select=2:ncpus=4:mpiprocs=2", "place=scatter"]),
        ({"exclusive": True}, ["select=1:ncpus=8:mpiprocs=4", "place=scatter:exclhost"]),
        ({"memory_per_core_bytes": 1 << 30}, ["select=4:ncpus=2:mpiprocs=1:mem=2048mb", "place=free"]),
        ({"memory_per_node_bytes": (1 << 30) + 1}, ["select=1:ncpus=8:mpiprocs=4:mem=1025mb", "place=scatter"]),
        ({"gpus_per_node": 2, "nodes": 2}, ["select=2:ncpus=4:mpiprocs=2:ngpus=2", "place=scatter"]),
        (
            {"gpus_per_node": 1, "gpu_model": "a100"},
            ["select=1:ncpus=8:mpiprocs=4:ngpus=1:gpu_model=a100", "place=scatter"],
        ),
    ],
)
def test_openpbs_is_asked_for_chunks(changes, asked):
    assert resources(replace(PLAIN, **changes)) == asked


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"nodes": 2}, ["nodes=2:ppn=4"]),
        ({"nodes": 3}, ["nodes=1:ppn=4+2:ppn=2"]),
        ({"nodes": 3, "memory_per_core_bytes": 1 << 30}, ["nodes=1:ppn=4+2:ppn=2", "mem=8192mb"]),
        ({"nodes": 2, "memory_per_node_bytes": 1 << 30}, ["nodes=2:ppn=4", "mem=2048mb"]),
        ({"memory_per_core_bytes": 1 << 30}, ["nodes=1:ppn=8", "mem=8192mb"]),
        ({"nodes": 2, "gpus_per_node": 2, "gpu_model": "a100"}, ["nodes=2:ppn=4:gpus=2:a100"]),
        ({"exclusive": True}, ["nodes=1:ppn=8", "naccesspolicy=singlejob"]),
    ],
)
def test_torque_is_asked_for_nodes(changes, asked):
    assert resources(replace(PLAIN, **changes), torque) == asked


@pytest.mark.parametrize(
    ("array", "of_openpbs", "of_torque"),
    [
        ("0-9", "-J 0-9", "-t 0-9"),
        ("0-9%4", "-J 0-9%4", "-t 0-9%4"),
        ("1-9:4%2", "-J 1-9:4%2", "-t 1,5,9%2"),
        ("1,3,7-9", None, "-t 1,3,7-9"),
        ("3", None, "-t 3"),
        ("3-4:2", None, "-t 3"),
    ],
)
def test_an_array_is_written_or_refused_by_name(array, of_openpbs, of_torque):
    asked = replace(PLAIN, array=array)
    assert of_torque in head(asked, torque)
    if of_openpbs is not None:
        assert of_openpbs in head(asked)
        return
    with pytest.raises(Unsupported) as caught:
        head(asked)
    assert caught.value.field == "array"


def test_dependencies_on_arrays_have_torques_own_words():
    asked = replace(PLAIN, depends_on=(("afterok", "7"), ("afterany", "8[]"), ("after", "9[]")))
    assert "-W depend=afterok:7,afterany:8[],after:9[]" in head(asked)
    assert "-W depend=afterok:7,afteranyarray:8[],afterstartarray:9[]" in head(asked, torque)


def test_what_is_left_becomes_options_too():
    full = replace(PLAIN, requeue=True, hold=True, extra={"begin": "2026-12-01T08:30", "nice": "100"})
    assert {"-r y", "-h", "-a 202612010830.00", "-p -100"} <= set(head(full))


@each_flavour
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("begin", "now+1hour"),
        ("nice", "100000"),
        ("constraint", "fast"),
        ("kill-on-invalid-dep", "no"),
        ("signal", "B:USR1@60"),
        ("qos", "high"),
        ("licenses", "matlab"),
        ("comment", "-W x"),
    ],
)
def test_what_cannot_be_translated_is_refused_by_name(make, option, value):
    with pytest.raises(Unsupported) as caught:
        make().script(replace(PLAIN, extra={option: value}))
    assert caught.value.field == option
    assert caught.value.zh != caught.value.en


@each_flavour
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"queue": "cpu -W x"}, "queue"),
        ({"queue": "cpu\n#PBS -h"}, "queue"),
        ({"gpus_per_node": 1, "gpu_model": "a:b"}, "gpu_model"),
        ({"work_directory": "a\nb"}, "work_directory"),
        ({"output": "a\nb/c"}, "output"),
        ({"depends_on": (("afterok", "7;x"),)}, "depends_on"),
        ({"depends_on": (("aftercorr", "7"),)}, "depends_on"),
        ({"nodes": 5}, "nodes"),
        ({"nodes": 2, "tasks_per_node": 1}, "tasks_per_node"),
    ],
)
def test_what_no_pbs_can_be_told_is_refused_by_name(make, changes, field):
    with pytest.raises(Invalid) as caught:
        make().script(replace(PLAIN, **changes))
    assert caught.value.field == field


def test_a_script_of_somebody_else_has_no_folders():
    with pytest.raises(ValueError, match="names no folders"):
        folders_of("#!/bin/bash\n#PARACLOUD other\ntrue\n")

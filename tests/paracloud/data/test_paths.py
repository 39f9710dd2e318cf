import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.data.paths import Execution, default_output, is_inside, resolve_output

TASK = Execution("熔体/a", "4713", "4711", 2, "east0", "n1")
ALONE = Execution("melt", "4711", "4711", None, "east0", "n1")


@given(st.text(alphabet="./ab\\~\0\n中", max_size=12))
def test_a_path_that_is_inside_stays_inside(path):
    if is_inside(path):
        assert os.path.normpath(f"/srv/{path}") == f"/srv/{path}"


@pytest.mark.parametrize(
    "path", ["", "/", "/etc", "..", "a/../..", "a//b", "./a", "a/.", "a/", "a\0", "x" * 256, "a/" * 600 + "b"]
)
def test_a_path_that_could_leave_is_outside(path):
    assert not is_inside(path)


@pytest.mark.parametrize(
    ("pattern", "of", "name"),
    [
        ("slurm-%j.out", ALONE, "slurm-4711.out"),
        ("slurm-%A_%a.out", TASK, "slurm-4711_2.out"),
        ("%x-%4a-%j.log", TASK, "熔体_a-0002-4713.log"),
        ("%u@%N.%J.%s.%t", ALONE, "east0@n1.4711.batch.batch.0"),
        ("100%%-%j", ALONE, "100%-4711"),
        ("%a", ALONE, "4294967294"),
        ("%q%", ALONE, "%q%"),
        ("%6x", ALONE, "melt"),
    ],
)
def test_a_pattern_names_the_file_that_sbatch_makes(pattern, of, name):
    assert resolve_output(pattern, of) == name


def test_without_a_pattern_an_array_has_a_file_for_each_task():
    assert resolve_output(default_output(is_array=True), TASK) == "slurm-4711_2.out"
    assert resolve_output(default_output(is_array=False), ALONE) == "slurm-4711.out"


@given(st.text(max_size=40))
def test_any_pattern_resolves(pattern):
    assert isinstance(resolve_output(pattern, TASK), str)

import pytest

from paracloud.dialects.task_numbers import job_number


@pytest.mark.parametrize(
    ("id_", "number"),
    [
        ("4711", "4711"),
        ("4711[]", "4711"),
        ("4711[3]", "47110000003"),
        ("4711[0]", "47110000000"),
        ("4711@1795466630", "4711"),
        ("4711.3@1795466630", "47110000003"),
        ("", ""),
        ("none of these", "none of these"),
    ],
)
def test_each_job_and_each_task_has_a_number(id_, number):
    assert job_number(id_) == number

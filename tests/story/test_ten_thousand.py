"""A job of ten thousand processes. It is the last story: beside so many no centre starts anything in time."""

from tests.paramon.ran import last_rows
from tests.paramon.test_many import beside
from tests.paramon.test_watch import until_ticked

from paramon.sample.profile import open_profile


def test_ten_thousand_processes_are_all_seen(tmp_path):
    process = beside(tmp_path, 10_000, "--budget", "100")
    until_ticked(tmp_path, 3)
    process.communicate(timeout=120)
    (node,) = open_profile(str(tmp_path))
    assert len(last_rows(node)) == 10_001
    assert len(node.processes) == 10_001
    assert node.end["denied_processes"] == 0

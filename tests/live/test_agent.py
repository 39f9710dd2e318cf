"""An operator's agent beside real jobs: what it tells of them is theirs, by the number that their scheduler gave."""

import pytest
from tests.live.logins import GridLogin, Login, until
from tests.live.test_nodes import TWO_NODES
from tests.paramon.agent.started import Started, agent
from tests.paramon.agent.strict import read

pytestmark = pytest.mark.live
SCRIPT = "#!/bin/bash\nsrun sleep 600\n"


def sleepers(started: Started, native_id: str) -> list[dict[str, str]]:
    """The labels of the processes that are said to be the job's."""
    told = [dict(labels) for labels in read(started.ask()[2])["paramon_process_threads"].samples]
    return [one for one in told if (one.get("jobid"), one["name"]) == (native_id, "sleep")]


def values(found: list[dict[str, str]], label: str) -> list[str]:
    return sorted(one.get(label, "") for one in found)


def test_the_processes_of_a_real_job_are_told_as_its_own_until_they_end(login: Login):
    job = login.request(script=SCRIPT, **TWO_NODES[type(login)])
    with agent("--per-process") as started:
        native_id = login.submitted(job)
        until(lambda: len(sleepers(started, native_id)) == job.tasks, "its processes")
        found = sleepers(started, native_id)
        assert values(found, "rank") == sorted(map(str, range(job.tasks)))
        assert {one["by"] for one in found} == {"environment"}
        login.ask(login.dialect.cancel([native_id]))
        until(lambda: not sleepers(started, native_id), "their end")


@pytest.mark.parametrize("scheduler", [GridLogin])
def test_tasks_of_an_array_are_told_by_its_number_and_theirs(login: Login):
    with agent("--per-process") as started:
        native_id = login.submitted(login.request(script=SCRIPT, array="3-4"))
        until(lambda: values(sleepers(started, native_id), "task") == ["4", "5"], "its processes")

import getpass
from datetime import UTC, datetime

import pytest
from tests.paracloud.dialects.gridengine.golden import NONCE, dialect, recorded
from tests.paracloud.dialects.gridengine.stand_in import GridStandIn
from tests.paracloud.dialects.stand_in import request

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Refused, Unreachable

START = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def centre(tmp_path):
    return GridStandIn(tmp_path)


def test_the_answer_for_an_array_is_the_jobs_number(centre):
    job = request(array="0-8:2")
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}


def test_a_lost_answer_is_found_in_accounting_once_the_listing_has_forgotten_it(centre):
    job = request()
    centre.lose(centre.submission(job))
    centre.set("qstat.empty")
    (centre.common / "accounting").write_text(f"cpu:n1:g:{getpass.getuser()}:pc-{job.tag}:41000:sge:0\n")
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}
    assert len(centre.jobs()) == 1


def test_directives_in_the_users_text_are_not_taken(centre):
    centre.ask(centre.submission(request(script="#!/bin/bash\n#$ -pe mpi 1000\n#$ -N other\n")))
    (call,) = centre.calls()
    assert "1000" not in call
    assert call.startswith("-terse -C  -N pc-")


@pytest.mark.parametrize(
    ("changes", "environment"),
    [
        ({"cores_per_task": 3}, "threads 3"),
        ({"tasks": 3, "nodes": 1}, "threads 3"),
        ({"tasks": 8, "nodes": 2}, "by-four 8"),
        ({"tasks": 4, "cores_per_task": 2, "tasks_per_node": 2}, "by-four 8"),
        ({"tasks": 5}, "spread 5"),
    ],
)
def test_the_parallel_environment_is_the_one_that_spreads_so_whatever_its_name(centre, changes, environment):
    centre.ask(centre.submission(request(**changes)))
    assert f"-pe {environment} " in centre.calls()[0]


def test_parallel_environments_are_asked_for_once_in_a_while_and_not_for_each_job(centre):
    centre.ask(centre.submission(*[request(tasks=5) for _ in range(4)]))
    centre.ask(centre.submission(request(cores_per_task=5)))
    asked = centre.count("qconf.calls")
    assert asked == 6
    assert centre.submission(request(tasks=5), request(tasks=2), request()).cost >= 3 + asked


def test_of_many_parallel_environments_no_more_are_asked_for_than_the_budget_knows(centre):
    many = "pe_list " + " ".join(f"no{number}" for number in range(40))
    (centre.folder / "bin/qconf").write_text(f'#!/bin/bash\necho >>"$STAND_IN/qconf.calls"\necho "{many}"\n')
    command = centre.submission(request(tasks=5))
    centre.ask(command)
    assert centre.count("qconf.calls") == command.cost - 1 == 12


def test_environments_that_cannot_all_be_asked_for_are_asked_for_once_in_a_batch(centre):
    many = "pe_list " + " ".join(f"no{number}" for number in range(40))
    (centre.folder / "bin/qconf").write_text(
        f'#!/bin/bash\necho >>"$STAND_IN/qconf.calls"\necho "{many}"\n'
        '[ "$(wc -l <"$STAND_IN/qconf.calls")" -lt 10 ] || { echo "error: unable to contact qmaster" >&2; exit 1; }\n'
    )
    command = centre.submission(*[request(tasks=5) for _ in range(8)])
    answers = centre.ask(command).values()
    assert all(isinstance(answer, Unreachable) for answer in answers)
    assert (centre.count("qconf.calls"), centre.count("calls")) == (10, 0)
    assert command.cost == 8 + 12


def test_a_try_after_others_costs_what_it_looks_up_before_and_after(centre):
    job = request(tasks=5)
    centre.lose(centre.submission(job))
    centre.set("qstat.empty")
    centre.set("mode", 'lateUnable to run job: unknown resource "nope"')
    again = centre.dialect.submit({job.tag: centre.dialect.script(job)}, [job.tag])
    before = len(centre.calls()) + centre.count("qstat.calls")
    centre.ask(again)
    ran = len(centre.calls()) + centre.count("qstat.calls") - before
    assert (ran, again.cost) == (3, 3 + 12)
    assert again.cost == centre.dialect.commands_least


def test_a_spread_that_no_environment_has_is_refused_by_name(centre):
    (answer,) = centre.ask(centre.submission(request(tasks=6, nodes=2))).values()
    assert isinstance(answer, Refused)
    assert (answer.field, "rule 3" in answer.en) == ("nodes", True)


def test_an_environment_that_cannot_be_asked_for_is_asked_again(centre):
    centre.set("qconf.silent")
    command = centre.submission(request(tasks=5))
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    (centre.folder / "qconf.silent").unlink()
    assert list(centre.ask(command).values()) == ["41000"]


def test_recorded_answers_are_an_id_and_a_refusal():
    jobs = [request(tag=f"{number:032x}") for number in (15, 16)]
    command = dialect().submit({one.tag: dialect().script(one) for one in jobs})
    accepted, refused = command.parse(recorded("qsub")).values()
    assert accepted == "5250015"
    assert isinstance(refused, Refused)
    assert refused.field == "queue"


def test_find_reads_listing_and_accounting_and_takes_the_first_of_two():
    tags = [f"{number:032x}" for number in (1, 2, 3)]
    rows = [f"41007 pc-{tags[0]}", "end", f"41003 pc-{tags[0]}", f"41009 pc-{tags[1]}", "8 evil name", "end"]
    command = dialect().find(tags, START)
    whole = "".join(f"{NONCE} {row}\n" for row in rows)
    assert command.parse(Completed(0, whole.encode(), b"")) == {tags[0]: "41003", tags[1]: "41009"}
    with pytest.raises(Broken):
        command.parse(Completed(0, whole.rpartition(NONCE)[0].encode(), b""))
    assert dialect().find(["f".zfill(32)], START).parse(recorded("find")) == {"f".zfill(32): "5250015"}

from datetime import UTC, datetime

import pytest
from tests.paracloud.dialects.slurm.golden import dialect, recorded
from tests.paracloud.dialects.slurm.stand_in import SlurmStandIn
from tests.paracloud.dialects.stand_in import request

from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.kit.command import Completed
from paracloud.kit.errors import Refused, Unreachable

START = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def centre(tmp_path):
    return SlurmStandIn(tmp_path)


def recorded_submission():
    jobs = [request(tag=f"{number:032x}") for number in (78, 79)]
    return dialect().submit({one.tag: dialect().script(one) for one in jobs})


def test_a_lost_answer_is_found_in_accounting_once_the_listing_has_forgotten_it(centre):
    command = centre.submission(request())
    centre.lose(command)
    centre.set("squeue.empty")
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1


def test_a_folder_that_only_the_users_own_directives_name_is_not_made(centre):
    job = request(output="logs/%j.out", script="#!/bin/bash\n#SBATCH --output=elsewhere/%j.out\n")
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}
    assert [path.name for path in (centre.home / job.work_directory).iterdir()] == ["logs"]


def test_a_hostile_comment_reaches_slurm_as_text(centre):
    job = request(extra={"comment": 'it\'s "q" $(touch pwned) `touch pwned` | ; & 中文'})
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}
    assert not list(centre.folder.rglob("pwned"))


def test_recorded_answers_are_an_id_and_a_refusal():
    accepted, refused = recorded_submission().parse(recorded("sbatch-submitted")).values()
    assert accepted == "41052"
    assert isinstance(refused, Refused)
    assert "time limit" in refused.en


def test_an_answer_cut_anywhere_is_no_answer_never_another_id():
    command = recorded_submission()
    whole = recorded("sbatch-submitted").stdout
    for end in range(len(whole)):
        for answer in command.parse(Completed(0, whole[:end], b"", truncated=True)).values():
            assert isinstance(answer, Unreachable | Refused) or answer == "41052"


def test_find_reads_listing_and_accounting_and_takes_the_first_of_two():
    tags = [f"{number:032x}" for number in (1, 2, 3)]
    listed = f"41007PCN     pc-{tags[0]}\n"
    known = f"41003_2PCNpc-{tags[0]}\n41009_[1-3]PCNpc-{tags[1]}\n9PCNpc-{'f' * 32}\n8PCNevil\npc-\n"
    command = SlurmDialect(lambda: "PCN").find(tags, START)
    assert command.parse(Completed(0, (listed + known).encode(), b"")) == {tags[0]: "41003", tags[1]: "41009"}

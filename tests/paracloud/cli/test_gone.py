"""The operator says that a whole centre is off: asked back with numbers, refused while it answers, in two languages."""

import json
from datetime import timedelta

from sqlalchemy import text
from tests.paracloud.api.house import Person, Tenant

SICK = """
    INSERT INTO centre_health (centre, checked_at, failures, failing_since, error_en, error_zh, sick_since)
    VALUES ('east', now(), 9, now() - interval '1 hour', 'The line is cut.', '线路中断。', now())
"""
SENT = """
    UPDATE jobs SET centre = 'east', account = 'east0', state = 'queued', native_id = '7', tries = 1,
                    submitted_at = now()
"""
WORDS = ("admin", "vacate", "east", "--gone", "--reason", "the substation burnt down")


def do(served, *statements: str) -> None:
    async def act() -> None:
        async with served.house.database.begin() as session:
            for one in statements:
                await session.execute(text(one))

    served.do(act())


def sent(served, terminal, lin: Tenant, *options: str) -> str:
    job: str = json.loads(terminal.say(lin, "submit", "--command", "true", *options, "--json"))["id"]
    do(served, SENT)
    served.house.clock.forward(timedelta(minutes=1))
    return job


def test_the_operator_is_asked_back_and_then_the_jobs_begin_anew(served, terminal, lin: Tenant, boss: Person) -> None:
    job = sent(served, terminal, lin)
    answers = terminal.run(boss, *WORDS, "--yes")
    assert (answers.returncode != 0, "east answers" in answers.stderr) == (True, True)
    do(served, SICK)
    asked = terminal.run(boss, *WORDS)
    assert asked.returncode == 2
    assert (
        "1 jobs that were sent to east and are not known to have started begin anew elsewhere; 0 others" in asked.stderr
    )
    assert "run this again with --yes" in asked.stderr
    asked = terminal.run(boss, *WORDS, language="zh_CN.UTF-8")
    assert "已发往 east 且未见开始的 1 个作业" in asked.stderr
    assert json.loads(terminal.say(lin, "show", job, "--json"))["job"]["centre"] == "east"
    assert terminal.run(lin, *WORDS, "--yes").returncode != 0
    assert json.loads(terminal.say(boss, *WORDS, "--yes", "--json")) == {"moved": 1, "stays": [], "last": None}
    shown = json.loads(terminal.say(lin, "show", job, "--json"))
    assert shown["job"]["centre"] == "west"
    assert "the machines of east are off (the substation burnt down)" in shown["events"][-1]["reason"]
    told = terminal.say(boss, "admin", "notices", language="zh_CN.UTF-8")
    assert "超算中心停机" in told
    assert "boss 确认 east 已停机" in told


def test_what_stays_is_listed_with_its_reason(served, terminal, lin: Tenant, boss: Person) -> None:
    job = sent(served, terminal, lin, "--centre", "east")
    do(served, SICK)
    said = terminal.say(boss, *WORDS, "--yes")
    assert job in said
    assert "its user named the centre" in said
    said = terminal.say(boss, *WORDS, "--yes", language="zh_CN.UTF-8")
    assert "留在原处" in said
    assert "用户指定了超算中心" in said


def test_a_queue_or_the_whole_centre_with_a_reason_and_not_both(terminal, boss: Person) -> None:
    for words in (("east",), ("east", "--gone"), ("east", "cpu", "--gone"), ("east", "cpu", "--reason", "x")):
        refused = terminal.run(boss, "admin", "vacate", *words)
        assert refused.returncode == 2
        assert "Name a queue; or say --gone, with --reason" in refused.stderr

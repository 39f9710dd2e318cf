"""The books of a day: the centre's accounting, our charges and the settlement, at real centres."""

from datetime import UTC, datetime, timedelta

import pymysql
from demo.stage import Stage
from tests.story.acts import ended, micro, reached, script, sql


def test_the_centres_accounting_our_charges_and_the_settlement_of_a_day_agree(stage, tenant) -> None:
    array = ended(stage, tenant, tenant.client.submit(script(tenant, "sleep 1", array="1-3", ntasks="2")).id)
    waiting = tenant.client.submit(script(tenant, "sleep 60", hold="true"))
    reached(stage, tenant, waiting.id, "queued")
    tenant.client.wish(waiting.id, "cancel")
    ended(stage, tenant, waiting.id)
    books = stage.operator.reconcile("east", array.job.ended_at.date())
    assert [one for one in books.mismatches if one.project == tenant.project] == []
    assert books.records >= 4
    assert min(micro(one.amount) for one in (books.accounted, books.charged, books.settled)) > 0


def test_a_run_that_the_centre_lost_is_found_with_its_amount(stage, tenant) -> None:
    job = ended(stage, tenant, tenant.client.submit(script(tenant, "sleep 2", ntasks="2")).id).job
    lose(stage, "east", str(job.native_id))
    books = stage.operator.reconcile("east", job.ended_at.date())
    found = [(one.cause, one.record_id, one.amount) for one in books.mismatches if one.project == tenant.project]
    assert found == [("not accounted", job.native_id, job.charged)]
    assert micro(job.charged.amount) > 0
    kept = stage.operator.reconciliation("east", job.ended_at.date())
    assert (kept.state, kept.mismatches) == ("differs", books.mismatches)


def test_days_that_are_over_are_reconciled_by_themselves(stage) -> None:
    """As at a centre that was connected some days ago, when the server comes back."""
    today = datetime.now(UTC).date()
    sql(stage, "UPDATE centres SET connected_at = connected_at - interval '3 days' WHERE name = 'west'")
    stage.stop_server()
    stage.resume_server()
    missed = {today - timedelta(days=number) for number in (2, 3)}
    months = sorted({f"{day:%Y-%m}" for day in missed})

    def looks() -> dict[object, str]:
        found = [one for month in months for one in stage.operator.reconciliations(month, "west").items]
        return {one.day: one.state for one in found}

    stage.wait(lambda: missed <= looks().keys(), "the days that were missed")
    assert {looks()[day] for day in missed} == {"agrees"}


def lose(stage: Stage, centre: str, native_id: str) -> None:
    """Out of the accounting database behind the centre's slurmdbd."""
    site = stage.lab.centres[centre].site
    connection = pymysql.connect(
        host="127.0.0.1", port=site.database_port, user="slurm", password=site.database_password,
        database=site.database_name, autocommit=True,
    )  # fmt: skip
    table = f"`{site.cluster}_job_table`"
    with connection, connection.cursor() as cursor:
        assert cursor.execute(f"DELETE FROM {table} WHERE id_job = %s", [native_id]) == 1  # noqa: S608

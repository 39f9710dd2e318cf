"""What a round's end says about a centre: when it is sick, and when it is well again.

Not at the first trouble, and not at the first good round: a lost line would stop a centre's business, and one that
flaps would take jobs in between. Whoever falls sick again soon after has to be well for longer.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from paracloud.centres.centre import Health
from paracloud.kit.errors import ParacloudError

SICK_AFTER = timedelta(minutes=5)
SICK_ROUNDS = 3
"""A centre that has failed for so long, and so often, takes no new jobs; a shorter silence is only a wait."""
WELL_AFTER = timedelta(minutes=1)
WELL_ROUNDS = 3
"""Its trouble is over after so many good rounds in a row, the last so long after the first."""
RELAPSE = timedelta(hours=1)
"""Sick again so soon after it was: then it must be well for twice as long as the time before."""
WELL_AFTER_MOST = timedelta(minutes=30)


def after_round(before: Health | None, error: ParacloudError | None, *, now: datetime) -> Health:
    if before is None:
        before = Health(now, 0, None, None, None)
    return _good(before, now) if error is None else _failed(before, error, now)


def well_after(health: Health) -> timedelta:
    """How long its rounds have to be good before its trouble is over."""
    return min(WELL_AFTER * (1 << health.relapses), WELL_AFTER_MOST)


def sickness(health: Health) -> tuple[str, str] | None:
    """Why it takes no new jobs, since when, and from when on it may again; None where it takes them."""
    if health.sick_since is None:
        return None
    since, better = health.failing_since or health.checked_at, health.good_since
    if better is None:
        return (
            f"the centre has not answered since {since:%Y-%m-%d %H:%M} UTC, and takes no new jobs",
            f"该超算中心自 {since:%Y-%m-%d %H:%M} UTC 起无响应，暂不接收新作业",
        )
    wait = well_after(health).total_seconds() / 60
    return (
        f"the centre failed from {since:%Y-%m-%d %H:%M} UTC on, and answers again since {better:%H:%M} UTC: it takes "
        f"jobs again when it has done so for {wait:.0f} min",
        f"该超算中心自 {since:%Y-%m-%d %H:%M} UTC 起故障，{better:%H:%M} UTC 起恢复应答："
        f"连续应答 {wait:.0f} 分钟后重新接收作业",
    )


def _good(before: Health, now: datetime) -> Health:
    if before.failing_since is None:
        return replace(before, checked_at=now)
    since = before.good_since or now
    better = replace(before, checked_at=now, good_rounds=before.good_rounds + 1, good_since=since)
    if better.good_rounds < WELL_ROUNDS or now - since < well_after(before):
        return better
    recovered_at = before.recovered_at if before.sick_since is None else now
    return Health(now, 0, None, None, None, recovered_at=recovered_at, relapses=before.relapses)


def _failed(before: Health, error: ParacloudError, now: datetime) -> Health:
    since = before.failing_since or now
    worse = replace(
        before,
        checked_at=now,
        failures=before.failures + 1,
        failing_since=since,
        error_en=error.en[:500],
        error_zh=error.zh[:500],
        good_rounds=0,
        good_since=None,
    )
    if before.sick_since is not None or now - since < SICK_AFTER or worse.failures < SICK_ROUNDS:
        return worse
    is_relapse = before.recovered_at is not None and since - before.recovered_at < RELAPSE
    return replace(worse, sick_since=now, relapses=min(before.relapses + 1, 10) if is_relapse else 0)

"""The queue listing: all jobs of these accounts in one qstat, whatever their number."""

from collections.abc import Sequence
from datetime import timedelta
from xml.etree.ElementTree import Element

from paracloud.dialects.answers import broken, one_word
from paracloud.dialects.gridengine import arrays
from paracloud.dialects.gridengine.answers import GRID_ENGINE
from paracloud.dialects.gridengine.states import phase, reason
from paracloud.dialects.gridengine.text import account_name, document, local_time
from paracloud.dialects.records import NativePhase, Observation
from paracloud.dialects.tags import tag_of
from paracloud.dialects.text import count, printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId, UnixAccount

ROWS_MOST = 250_000
AFTER_NONCE = 'printf "\\n%s\\n" "$1"; shift; exec "$@"'
"""What a start-up file wrote stands before it."""
QSTAT = ("env", "TZ=UTC0", "LC_ALL=C", "qstat", "-xml", "-r", "-u")
"""-r: names in full. Times are written without their zone: UTC is asked for."""


def observe(accounts: Sequence[UnixAccount], nonce: str) -> Command[Sequence[Observation]]:
    if not accounts:
        return Command(argv=("true",), parse=lambda _: (), cost=0)
    argv = ("bash", "-c", AFTER_NONCE, "paracloud-observe", nonce, *QSTAT, one_word(accounts, "account"))

    def parse(completed: Completed) -> Sequence[Observation]:
        root = document(GRID_ENGINE.output_of(completed, argv), nonce, completed, argv)
        parts = [root.find(name) for name in ("queue_info", "job_info")]
        if any(part is None for part in parts):
            raise broken("gave only a part of a listing", "只给出了部分列表", completed, argv)
        rows = [row for part in parts if part is not None for row in part.iterfind("job_list")]
        if len(rows) > ROWS_MOST:
            raise broken(f"gave more than {ROWS_MOST} rows", f"给出了超过 {ROWS_MOST} 行", completed, argv)
        try:
            return tuple(_observation(row) for row in rows)
        except ValueError as error:
            raise broken(
                f"gave a job that is not understood: {error}", "给出了无法理解的作业", completed, argv
            ) from None

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=60))


def _observation(row: Element) -> Observation:
    letters = row.findtext("state", "").strip()
    waits = row.find("predecessor_jobs") is not None
    now, tag = phase(letters, has_predecessors=waits), tag_of(row.findtext("full_job_name", "").strip())
    task, started = row.findtext("tasks", ""), row.findtext("JAT_start_time", "")
    submitted = row.findtext("JB_submission_time", "")
    return Observation(
        native_id=NativeId(str(count(row.findtext("JB_job_number", "")))),
        # Tasks that wait come as one row with all their ranges.
        task_index=arrays.task_index(count(task), is_ours=tag is not None) if task.isdigit() and started else None,
        tag=tag,
        account=account_name(row.findtext("JB_owner", "")),
        phase=now,
        native_state=printable(letters, 64),
        reason=reason(letters, has_predecessors=waits),
        submitted_at=local_time(submitted) if submitted else None,
        started_at=local_time(started) if started and now in (NativePhase.RUNNING, NativePhase.ENDING) else None,
        node_list=printable(row.findtext("queue_name", "").partition("@")[2], 1000),
    )

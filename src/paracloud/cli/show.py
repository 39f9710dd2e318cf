"""Tables for people, JSON for programs."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paracloud.cli.kinds import BUDGETS, JOBS, PACKAGES, kind
from paracloud.cli.words import plain, say, word
from paracloud.wire.jobs import ForecastModel, JobDetailModel, JobModel, TaskModel
from paracloud.wire.paying import BudgetModel, DedicationModel, FundingModel, PayingModel

console = Console()
errors = Console(stderr=True)
EDGES, BETWEEN = 2, 3
"""Blanks that a table has around it, and between two columns."""
PROSE_LEAST = 24
"""A column of prose is broken into lines no shorter than that."""
KEPT = "WaitsForRoom"
"""The platform's reason of a job that it keeps back."""
CUT_LEAST = 10
"""A column that is cut shows no less: the longest state of a job."""
PROSE = {"name", "organisation", "reason", "why not", "applications", "licences"}


def as_json(model: BaseModel | dict[str, object]) -> None:
    print(model.model_dump_json() if isinstance(model, BaseModel) else json.dumps(model))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, cut: str | None = None) -> None:
    """An id is there to be copied, a number to be read: only what people wrote is broken where the line is full. Where
    it is too short even so, the terminal breaks it: nothing is cut off, but for the column `cut`, of which another
    command shows the whole."""
    cells = [[_text(cell) for cell in row] for row in rows]
    if cut is not None and (console.is_terminal or os.environ.get("COLUMNS")):  # a pipe has no width
        at = headings.index(cut)
        room = max(console.width - (_least(headings, cells) - _widest(headings, cells, at)), CUT_LEAST)
        cells = [[*row[:at], _cut(row[at], room), *row[at + 1 :]] for row in cells]
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, heading in enumerate(headings):
        is_prose, widest = heading in PROSE, _widest(headings, cells, at)
        shown.add_column(word(heading), no_wrap=not is_prose, overflow="fold", min_width=None if is_prose else widest)
    for row in cells:
        shown.add_row(*map(Text, row))
    Console(file=console.file, width=max(console.width, _least(headings, cells))).print(shown)


def _widest(headings: Sequence[str], cells: Sequence[Sequence[str]], at: int) -> int:
    column = [word(headings[at]), *(row[at] for row in cells)]
    return max(cell_len(line) for text in column for line in text.split("\n"))


def _least(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """How wide the table is at least."""
    widths = [
        max(cell_len(word(heading)), min(widest, PROSE_LEAST)) if heading in PROSE else widest
        for heading, widest in ((heading, _widest(headings, cells, at)) for at, heading in enumerate(headings))
    ]
    return EDGES - BETWEEN + sum(BETWEEN + width for width in widths)


def _cut(text: str, room: int) -> str:
    shown = Text(text)
    shown.truncate(room, overflow="ellipsis")
    return shown.plain


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return say("yes", "是") if cell else say("no", "否")
    return plain("-" if cell is None else str(cell)).expandtabs()


def counts(of: Mapping[str, int]) -> str | None:
    return ", ".join(f"{name} {count}" for name, count in of.items()) or None


def moment(at: datetime) -> str:
    """With its year and zone, so that it can be given back to a command."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def reason(one: JobModel) -> str:
    """What a job waits for. Its scheduler knows no more of one that moves than that it is held, and nothing of one that
    is kept back."""
    if one.state == "accepted" and one.reason == KEPT:
        return say("waits for room at any centre", "在平台等候任一中心的空闲资源")
    if one.leaving is None or one.is_final or one.state == "running":
        return one.reason
    if one.leaving.stays:
        undone = say("stays here: the platform undoes its own hold", "留在原处，平台正在解除自身的挂起")
        return f"{one.reason} ({undone})"
    to = f"{one.leaving.centre}/{one.leaving.queue}"
    return say(f"moves to {to}", f"正在改派至 {to}")


def job(found: JobDetailModel) -> None:
    one = found.job
    facts = {
        "job": one.id,
        "name": one.name,
        "state": f"{kind(one.state, JOBS)} {one.native_state} {reason(one)}".strip() + _exit(one),
        "centre": f"{one.centre}/{one.queue} {one.native_id or ''} {one.node_list}".strip(),
        "held": f"{one.held.amount} {one.held.currency}",
        "charged": f"{one.charged.amount} {one.charged.currency}",
    }
    for key, value in facts.items():
        console.print(Text(f"{word(key):12} {plain(str(value))}"))
    if found.forecast is not None:
        for line in forecast(found.forecast):
            console.print(Text(plain(line)))
    console.print(Text(plain(say(found.why_en, found.why_zh))))
    for event in found.events:
        said = say(event.reason or event.note, event.note or event.reason)
        words = f"{kind(event.to_state, JOBS):10} {plain(event.native_state)} {plain(said)}".rstrip()
        console.print(Text(f"  {moment(event.at)}  {words}"))


def ending(one: JobModel | TaskModel) -> None:
    """How it ended, in a line."""
    console.print(Text(plain(f"{word('state'):12} {kind(one.state, JOBS)} {one.native_state}".rstrip() + _exit(one))))


def forecast(of: ForecastModel) -> list[str]:
    """What half of such jobs get, and nine in ten (P90)."""
    heading = f"{word('expected'):12} "
    return [
        heading
        + say(
            f"start {moment(of.start_p50)}, P90 {moment(of.start_p90)}",
            f"开始 {moment(of.start_p50)}，P90 {moment(of.start_p90)}",
        ),
        heading
        + say(
            f"done {moment(of.finish_p50)}, P90 {moment(of.finish_p90)}",
            f"完成 {moment(of.finish_p50)}，P90 {moment(of.finish_p90)}",
        ),
        heading
        + say(
            f"cost {of.cost_p50.amount}, P90 {of.cost_p90.amount} {of.cost_p90.currency} ({of.model})",
            f"费用 {of.cost_p50.amount}，P90 {of.cost_p90.amount} {of.cost_p90.currency}（{of.model}）",
        ),
    ]


def funding(found: Mapping[str, FundingModel]) -> None:
    """Each whole, under the word for it."""
    rows = [
        (
            word(when),
            f"{one.line.amount} {one.line.currency}",
            one.hold_seconds or say("the whole limit", "全部时限"),
            ", ".join(level.amount for level in one.warnings) or None,
            one.signal,
            one.grace_seconds,
        )
        for when, one in found.items()
    ]
    table(["funding", "credit line", "held seconds", "warn at", "signal", "grace seconds"], rows)


def paying(found: PayingModel) -> None:
    funding({"now": found.funding})
    if found.packages:
        rows = [
            (
                one.name,
                kind(one.kind, PACKAGES),
                one.total,
                one.used,
                one.reserved,
                one.left,
                f"{one.expires_at:%Y-%m-%d}",
            )
            for one in found.packages
            if one.closed_at is None
        ]
        table(["package", "kind", "total", "used", "reserved", "left", "expires"], rows)
    if found.dedicated:
        dedications(found.dedicated)
    if found.budgets:
        budgets(found.budgets)


def dedications(found: Sequence[DedicationModel]) -> None:
    rows = [
        (
            one.id,
            one.project,
            f"{one.centre}/{one.queue}",
            one.nodes,
            one.monthly.amount,
            f"{one.valid_from:%Y-%m-%d}",
            one.valid_to and f"{one.valid_to:%Y-%m-%d}",
            _persons(one),
        )
        for one in found
    ]
    table(["dedicated", "project", "where", "nodes", "monthly", "from", "to", "by"], rows)


def budgets(found: Sequence[BudgetModel]) -> None:
    rows = [
        (
            one.id,
            kind(one.of, BUDGETS),
            one.payer,
            one.login,
            one.amount.amount,
            one.spent and one.spent.amount,
            say("hard", "硬") if one.is_hard else say("soft", "软"),
            say("month", "月") if one.is_monthly else say("once", "一次"),
            one.valid_to and f"{one.valid_to:%Y-%m-%d}",
            _persons(one),
        )
        for one in found
    ]
    table(["budget", "of", "name", "user", "amount", "spent", "kind", "per", "to", "by"], rows)


def _persons(one: DedicationModel | BudgetModel) -> str | None:
    """Who agreed it, when, and who ended it."""
    made = f"{one.created_by} {one.created_at:%Y-%m-%d}" if one.created_by and one.created_at else None
    if one.ended_by is None:
        return made
    return f"{made or '-'}, " + say(f"ended by {one.ended_by}", f"由 {one.ended_by} 终止")


def _exit(one: JobModel | TaskModel) -> str:
    """How the script ended, where it did not end well."""
    if one.exit_signal:
        return say(f" (signal {one.exit_signal})", f"（信号 {one.exit_signal}）")
    return say(f" (exit status {one.exit_code})", f"（退出码 {one.exit_code}）") if one.exit_code else ""

"""`paracloud simulate`: what a broker would have done with jobs of the past. Needs no server."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from paracloud.cli import show
from paracloud.cli.words import both, is_chinese, plain, why_zh
from paracloud.kit.errors import Refused
from paracloud.placement.forecast import Discipline
from paracloud.simulation.grid import Rules
from paracloud.simulation.outcome import Felt, Outcome
from paracloud.simulation.read_traces import read_csv, read_swf
from paracloud.simulation.report import Played, page
from paracloud.simulation.simulate import Asked
from paracloud.simulation.simulate import simulate as each_policy
from paracloud.simulation.workload import TraceJob, Workload, joined

SPREAD = ("--trace", "--policy")
"""Options that take several values at once."""
DIGITS = 4
PROCS = re.compile("0*[1-9][0-9]{0,8}")


def spread(arguments: Sequence[str]) -> list[str]:
    """`--trace A B` is what `--trace A --trace B` is."""
    told: list[str] = []
    current, has_one = "", False
    for word in arguments:
        if word.startswith("--"):
            current, has_one = (word, False) if word in SPREAD else ("", False)
        elif current:
            told += [current] if has_one else []
            has_one = True
        told.append(word)
    return told


def simulate(
    trace: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE:PROCS", help="A trace in SWF, plain or .xz, and its centre's processors; several."),
    ] = None,
    jobs: Annotated[
        Path | None,
        typer.Option(help="Instead: a CSV file, submit_s,run_s,procs,requested_s,home_centre,user."),
    ] = None,
    capacity: Annotated[
        str | None, typer.Option(metavar="N,N,…", help="With --jobs: each centre's processors.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="local, random, round-robin, least-backlog, shortest-queue, earliest-start, ours, reroute, "
            "production, multi-K (K submissions, the first start wins); several."
        ),
    ] = None,
    discipline: Annotated[
        Discipline, typer.Option(help="How each centre takes jobs from its queue.")
    ] = Discipline.EASY,
    past_only: Annotated[
        bool, typer.Option("--past-only", help="Where a trace has no time limits, ours guesses them from earlier jobs.")
    ] = False,
    clairvoyant: Annotated[bool, typer.Option("--clairvoyant", help="All know how long each job runs.")] = False,
    broker_share: Annotated[float, typer.Option(help="The part of users who use the broker, 0 to 1.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of chance, and of who uses the broker.")] = 1,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Also write a page with plots.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Play jobs of the past at several centres under several policies: bounded slowdown, wait, utilisation. A trace
    that is given again is shifted in time."""
    if not 0 <= broker_share <= 1:
        raise typer.BadParameter(both("--broker-share is 0 to 1.", "--broker-share 须在 0 与 1 之间。"))
    names = [*dict.fromkeys(name for word in policy or ["local", "ours"] for name in word.split(",") if name)]
    if not names:
        raise typer.BadParameter(both("--policy names none.", "--policy 未给出任何策略。"))
    _require_writable(report)
    try:
        workload = _workload(trace or [], jobs, capacity)
        if broker_share < 1 and workload.without_user:
            _say_without_user(workload.without_user)
        rules = Rules(discipline, clairvoyant=clairvoyant, past_only=past_only)
        outcomes = _played(workload, Asked(names, rules, broker_share, seed))
        if report is not None:
            _write(report, page(Played(workload, discipline.value, broker_share), outcomes, in_chinese=is_chinese()))
    except Refused as refused:
        raise typer.BadParameter(plain(both(refused.en, refused.zh))) from refused
    if as_json:
        told = {name: _told(one) for name, one in outcomes.items()}
        print(json.dumps({"policies": told, "jobs_without_request": workload.without_request}))
    else:
        _table(outcomes)


def _say_without_user(jobs: int) -> None:
    en = f"{jobs} jobs do not say whose they are: for --broker-share, each of them is a user of its own."
    print(both(en, f"{jobs} 个作业未注明用户：--broker-share 将其各视为一个用户。"), file=sys.stderr)


def _require_writable(report: Path | None) -> None:
    """Before anything is played, which can take minutes."""
    if report is not None and (report.is_dir() or not report.parent.is_dir()):
        raise typer.BadParameter(both(f"{report} cannot be written.", f"无法写入 {report}。"))


def _write(report: Path, html: str) -> None:
    try:
        report.write_text(html, encoding="utf-8")
    except OSError as error:
        en, zh = f"{report} cannot be written: {error.strerror}.", f"无法写入 {report}：{why_zh(error)}。"
        raise typer.BadParameter(both(en, zh)) from error


def _workload(traces: Sequence[str], jobs: Path | None, capacity: str | None) -> Workload:
    if (jobs is None) == (not traces):
        raise typer.BadParameter(
            both("Give --trace, or --jobs with --capacity.", "请给出 --trace，或 --jobs 与 --capacity。")
        )
    if jobs is not None:
        found = read_csv(jobs, [_procs(word) for word in (capacity or "").split(",")])
    else:
        if capacity is not None:
            raise typer.BadParameter(both("--capacity belongs to --jobs.", "--capacity 只与 --jobs 连用。"))
        found = _of_traces(traces)
    if found.left_out:
        en = f"{found.left_out} jobs never ran, or ask for more processors than their centre has: left out."
        print(both(en, f"{found.left_out} 个作业从未运行，或所需处理器超过其超算中心，已排除。"), file=sys.stderr)
    if found.may_count_from_1:
        en = "No job is at centre 0: home_centre is taken to count from 0. If it counts from 1, take 1 from each."
        print(
            both(en, "0 号中心没有作业：home_centre 按从 0 起编号读取。若从 1 起编号，请将各值减 1。"), file=sys.stderr
        )
    if unsaid := found.without_request:
        en = f"{unsaid} jobs say no time limit: what they ran is taken for it (--past-only: ours does not see it)."
        print(
            both(en, f"{unsaid} 个作业未给出时限：以实际运行时间为准（--past-only：ours 不使用该信息）。"),
            file=sys.stderr,
        )
    if not found.jobs:
        raise typer.BadParameter(both("There is no job to play.", "没有可模拟的作业。"))
    return found


def _of_traces(traces: Sequence[str]) -> Workload:
    read: dict[Path, tuple[list[TraceJob], int]] = {}
    asked = []
    for word in traces:
        name, colon, procs = word.rpartition(":")
        if not colon:
            raise typer.BadParameter(
                both(f"{word}: FILE:PROCS, with the processors.", f"{word}：须写成 文件:处理器数。")
            )
        file = Path(name).resolve()  # one file under two names comes twice, too
        asked.append((file, _procs(procs)))
        if file not in read:
            read[file] = read_swf(Path(name))
    found = joined([(str(file), procs, read[file][0]) for file, procs in asked])
    never = sum(read[file][1] for file, _ in asked)
    return Workload(found.capacities, found.jobs, found.left_out + never)


def _procs(word: str) -> int:
    if PROCS.fullmatch(word.strip()) is None:
        raise typer.BadParameter(both(f"{word!r} is no number of processors.", f"{word!r} 不是处理器数。"))
    return int(word)


def _played(workload: Workload, asked: Asked) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=show.errors, transient=True) as progress:
        task = progress.add_task(asked.policies[0], total=None)
        for name, one in each_policy(workload, asked):
            outcomes[name] = one
            done = len(outcomes)
            if done < len(asked.policies):
                progress.update(task, description=asked.policies[done])
    return outcomes


def _told(one: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {
        **_felt(one.all),
        "utilisation": round(one.utilisation, DIGITS),
        "utilisation_by_centre": [round(value, DIGITS) for value in one.by_centre],
        "moves": one.moves,
        "submissions_per_job": round(one.submissions_per_job, DIGITS),
        "jobs": one.all.jobs,
    }
    if one.others is not None:
        told["others"] = _felt(one.others) | {"jobs": one.others.jobs}
        told["brokered"] = None if one.brokered is None else _felt(one.brokered) | {"jobs": one.brokered.jobs}
    return told


def _felt(one: Felt) -> dict[str, float]:
    return {
        "mean_bounded_slowdown": round(one.mean_bounded_slowdown, DIGITS),
        "p95_bounded_slowdown": round(one.p95_bounded_slowdown, DIGITS),
        "mean_wait_s": round(one.mean_wait_s, 1),
    }


def _table(outcomes: dict[str, Outcome]) -> None:
    show.table(
        ["policy", "slowdown", "P95", "mean wait", "utilisation", "moves", "submissions/job", "others' slowdown"],
        [
            [
                name,
                f"{one.all.mean_bounded_slowdown:.2f}",
                f"{one.all.p95_bounded_slowdown:.1f}",
                f"{one.all.mean_wait_s:.0f} s",
                f"{one.utilisation:.1%}",
                str(one.moves),
                f"{one.submissions_per_job:.2f}",
                "" if one.others is None else f"{one.others.mean_bounded_slowdown:.2f}",
            ]
            for name, one in outcomes.items()
        ],
    )

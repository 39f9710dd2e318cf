"""`paracloud centre connect HOST`: from a host name to a centre that takes jobs, or to a list of what is missing."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import spread
from paracloud.cli.jobs import AsJson
from paracloud.cli.reading import read_text
from paracloud.cli.words import both, plain, say
from paracloud.client.client import Client
from paracloud.wire.account import CentreRequest
from paracloud.wire.surveys import (
    FindingModel,
    HostKeyModel,
    HostKeyRequest,
    PlanRequest,
    SurveyModel,
    SurveyRequest,
    TrialRequest,
)

MARKS = {"well": "✓", "advice": "!", "missing": "✗"}
GIB = 1 << 30
WAIT_MOST = 600


def connect(
    host: str,
    name: Annotated[str, typer.Option(help="What the platform calls it.")],
    service_account: Annotated[str, typer.Option(help="Lists the queue and reads the accounting.")],
    account: Annotated[list[str], typer.Option(help="Lent to projects: NAME, or a range such as hpc[001-040].")],
    port: int = 22,
    fingerprint: Annotated[
        str | None, typer.Option(help="Of its host key, as the centre tells it: SHA256:…; otherwise you are asked.")
    ] = None,
    host_key: Annotated[Path | None, typer.Option(help="Or a file with the host's public key.")] = None,
    title_en: str = "",
    title_zh: str = "",
    queue: Annotated[str | None, typer.Option(help="Where the job on trial runs; the default one otherwise.")] = None,
    test_account: Annotated[str | None, typer.Option(help="Who runs it; the first lent one otherwise.")] = None,
    wait_seconds: Annotated[int, typer.Option(help="How long it may wait to start.")] = 120,
    look: Annotated[bool, typer.Option("--look", help="Only look and try; connect nothing.")] = False,
    commands_per_minute: Annotated[int, typer.Option(help="The published budget of scheduler commands.")] = 240,
    patience_seconds: Annotated[int, typer.Option(help="How long a job may be missing before it is lost.")] = 600,
    overrun_seconds: Annotated[int, typer.Option(help="How long beyond its limit a job may be charged at most.")] = 120,
    region: str = "",
    as_json: AsJson = False,
) -> None:
    """Connect a centre: pin its host key, find its scheduler, look at all that is needed, try a job, and say what is
    missing."""
    if not 1 <= wait_seconds <= WAIT_MOST:
        raise typer.BadParameter(both(f"--wait-seconds: 1 to {WAIT_MOST}.", f"--wait-seconds：1 至 {WAIT_MOST}。"))
    lent = [one for text in account for one in spread(text)]
    chosen = test_account or lent[0]
    plan = PlanRequest(
        name=name, host=host, port=port, title_en=title_en or name, title_zh=title_zh or name,
        service_account=service_account, accounts=lent, commands_per_minute=commands_per_minute,
        patience_seconds=patience_seconds, overrun_seconds=overrun_seconds, region=region,
        test_account=chosen, is_look=look,
    )  # fmt: skip
    ordered = [chosen, *(one for one in lent if one != chosen)]
    with session.client() as client:
        client.check_plan(plan)
        pinned = _pinned(client, HostKeyRequest(host=host, port=port), fingerprint, host_key)
        way = SurveyRequest(
            name=name, host=host, port=port, host_key=pinned, service_account=service_account, accounts=ordered
        )
        _progress(say("Looking at the centre …", "正在检查超算中心……"))
        found = client.survey(way)
        findings = list(found.findings)
        is_fit = found.is_fit
        if not as_json:
            _tell(found)
        known = {"host_key": pinned, "dialect": found.dialect or plan.dialect}
        where = queue or _default_queue(found)
        if is_fit and found.dialect is not None and where is not None:
            client.check_plan(plan.model_copy(update=known))
            _progress(say(f"Trying a job in {where} …", f"正在 {where} 试运行作业……"))
            tree = way.model_dump() | {"dialect": found.dialect, "queue": where, "patience_seconds": wait_seconds}
            trial = client.trial(TrialRequest.model_validate(tree))
            findings += trial.findings
            is_fit = trial.is_fit
            if not as_json:
                _findings(trial.findings)
        if is_fit and not look:
            described = plan.model_dump(include=set(CentreRequest.model_fields)) | known
            client.operator("centres", CentreRequest.model_validate(described))
    _end(name, found, findings, is_fit=is_fit, is_connected=is_fit and not look, as_json=as_json)


def _pinned(client: Client, where: HostKeyRequest, fingerprint: str | None, file: Path | None) -> str:
    """The key that somebody has vouched for: by a file, by its fingerprint, or by a yes at the terminal."""
    if file is not None:
        return " ".join(read_text(file).split()[:2])
    shown = client.host_key(where)
    if fingerprint is not None:
        if fingerprint != shown.fingerprint:
            raise typer.BadParameter(
                plain(
                    say(
                        f"{where.host} shows {shown.fingerprint}, not {fingerprint}. Nothing was sent there.",
                        f"{where.host} 出示 {shown.fingerprint}，与 {fingerprint} 不符；未发送任何内容。",
                    )
                )
            )
        return shown.host_key
    return _asked(where, shown)


def _asked(where: HostKeyRequest, shown: HostKeyModel) -> str:
    text = say(
        f"{where.host} shows the host key\n  {shown.fingerprint}\nIs that what the centre says of it?",
        f"{where.host} 出示的主机密钥为\n  {shown.fingerprint}\n是否与超算中心提供的一致？",
    )
    if not sys.stdin.isatty():
        how = say("Give --fingerprint if it is.", "如一致，请使用 --fingerprint 指定。")
        raise typer.BadParameter(plain(f"{text} {how}"))
    typer.confirm(plain(text), abort=True, err=True)
    return shown.host_key


def _default_queue(found: SurveyModel) -> str | None:
    """The centre's own default; else the one with the most free cores."""
    up = [one for one in found.queues if one.is_up and one.nodes]
    up.sort(key=lambda one: (not one.is_default, -one.free_cores, one.name))
    return up[0].name if up else None


def _tell(found: SurveyModel) -> None:
    _findings(found.findings)
    if found.queues:
        rows = [
            (
                one.name,
                one.nodes,
                one.cores_per_node,
                one.memory_per_node_bytes // GIB,
                one.gpu_model and f"{one.gpus_per_node} {one.gpu_model}",
                None if one.max_wall_seconds is None else str(timedelta(seconds=one.max_wall_seconds)),
            )
            for one in found.queues
        ]
        show.table(["queue", "nodes", "cores/node", "GiB/node", "cards", "limit"], rows)
    if found.node_types:
        types = [
            (one.nodes, one.cores, one.memory_bytes // GIB, one.gpu_model and f"{one.gpus} {one.gpu_model}",
             ", ".join(one.queues))
            for one in found.node_types
        ]  # fmt: skip
        show.table(["nodes", "cores", "memory/GiB", "cards", "queues"], types)


def _findings(findings: list[FindingModel]) -> None:
    for one in findings:
        show.console.print(f"{MARKS[one.level]} {plain(one.what)}: {plain(say(one.en, one.zh))}", markup=False)


def _end(
    name: str, found: SurveyModel, findings: list[FindingModel], *, is_fit: bool, is_connected: bool, as_json: bool
) -> None:
    lacking = sum(one.level == "missing" for one in findings)
    if as_json:
        tree = found.model_dump(mode="json") | {
            "is_fit": is_fit,
            "is_connected": is_connected,
            "findings": [one.model_dump() for one in findings],
        }
        show.as_json(tree)
    elif is_connected:
        show.console.print(
            say(
                f"{name} is connected. Next: a price for each queue (`admin price`), and the contract with the centre "
                "(`admin contract`): a queue without a price is not offered.",
                f"{name} 已接入。下一步：为每个分区设定价格（admin price）并与中心签订合同（admin contract）；"
                "没有价格的分区不会对外提供。",
            )
        )
    elif is_fit:
        show.console.print(say(f"{name} is fit; nothing was connected.", f"{name} 检查通过；尚未接入。"))
    else:
        show.console.print(
            say(
                f"{lacking} things are missing; {name} was not connected. Mend them and run this again.",
                f"缺少 {lacking} 项；{name} 未接入。请处理后重新运行。",
            )
        )
    if not is_fit:
        raise typer.Exit(1)


def _progress(text: str) -> None:
    print(plain(text), file=sys.stderr)

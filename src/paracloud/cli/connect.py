"""`paracloud centre connect HOST`: from a host name to a centre that takes jobs, or to a list of what is missing."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from paracloud.cli import session, told
from paracloud.cli.admin import spread
from paracloud.cli.jobs import AsJson
from paracloud.cli.reading import read_text
from paracloud.cli.words import both, plain, say
from paracloud.client.client import Client
from paracloud.wire.account import CentreRequest
from paracloud.wire.surveys import (
    HostKeyModel,
    HostKeyRequest,
    PlanRequest,
    SurveyModel,
    SurveyRequest,
    TrialModel,
    TrialRequest,
)

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
    _require_wait(wait_seconds)
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
        vouched = pinned(client, HostKeyRequest(host=host, port=port), fingerprint, host_key)
        way = SurveyRequest(
            name=name, host=host, port=port, host_key=vouched, service_account=service_account, accounts=ordered
        )
        _progress(say("Looking at the centre …", "正在检查超算中心……"))
        found = client.survey(way)
        if not as_json:
            told.survey(found)
        known = {"host_key": vouched, "dialect": found.dialect or plan.dialect}
        trial = None
        if found.is_fit:
            client.check_plan(plan.model_copy(update=known))
            trial = _tried(client, way, found, queue, wait_seconds)
            if not as_json:
                told.all_of(trial.findings)
        is_fit = trial is not None and trial.is_fit
        if is_fit and not look:
            described = plan.model_dump(include=set(CentreRequest.model_fields)) | known
            client.operator("centres", CentreRequest.model_validate(described))
    findings = [*found.findings, *(trial.findings if trial else ())]
    told.end(name, found, findings, is_fit=is_fit, is_connected=is_fit and not look, as_json=as_json)


def _require_wait(seconds: int) -> None:
    if not 1 <= seconds <= WAIT_MOST:
        raise typer.BadParameter(both(f"--wait-seconds: 1 to {WAIT_MOST}.", f"--wait-seconds：1 至 {WAIT_MOST}。"))


def _tried(client: Client, way: SurveyRequest, found: SurveyModel, queue: str | None, wait_seconds: int) -> TrialModel:
    where = queue or _default_queue(found)
    _progress(say(f"Trying a job in {where} …", f"正在 {where} 试运行作业……"))
    tree = way.model_dump() | {"dialect": found.dialect, "queue": where, "patience_seconds": wait_seconds}
    return client.trial(TrialRequest.model_validate(tree))


def pinned(client: Client, where: HostKeyRequest, fingerprint: str | None, file: Path | None) -> str:
    """The key that somebody has vouched for: by a file, by its fingerprint, or by a yes at the terminal."""
    known = None if file is None else " ".join(read_text(file).split()[:2])
    shown = client.host_key(where)
    # A machine has keys of several kinds, and shows one of them.
    if known not in (None, shown.host_key) and known.split()[:1] == shown.host_key.split()[:1]:
        raise _another(where, shown, str(file))
    if fingerprint not in (None, shown.fingerprint):
        raise _another(where, shown, fingerprint)
    if known is None and fingerprint is None:
        return _asked(where, shown)
    return known or shown.host_key


def _another(where: HostKeyRequest, shown: HostKeyModel, known: str) -> typer.BadParameter:
    en = (
        f"{where.host} shows the host key\n  {shown.fingerprint}\nand not\n  {known}\nNothing was sent there. Ask the "
        "centre, by another way than the network, which key that machine has."
    )
    zh = (
        f"{where.host} 出示的主机密钥为\n  {shown.fingerprint}\n与下列不符\n  {known}\n未发送任何内容。"
        "请通过其他途径向超算中心核实该机器的密钥。"
    )
    return typer.BadParameter(plain(say(en, zh)))


def _asked(where: HostKeyRequest, shown: HostKeyModel) -> str:
    en = f"{where.host} shows the host key\n  {shown.fingerprint}\n"  # alone in its line: it is copied
    zh = f"{where.host} 出示的主机密钥为\n  {shown.fingerprint}\n"
    if not sys.stdin.isatty():
        en += "If that is what the centre says of it, run this again with --fingerprint and this."
        zh += "如与超算中心提供的一致，请用 --fingerprint 指定它并重新运行。"
        raise typer.BadParameter(plain(say(en, zh)))
    question = say(f"{en}Is that what the centre says of it?", f"{zh}是否与超算中心提供的一致？")
    typer.confirm(plain(question), abort=True, err=True)
    return shown.host_key


def _default_queue(found: SurveyModel) -> str | None:
    """The centre's own default; else the one with the most free cores."""
    up = [one for one in found.queues if one.is_up and one.nodes]
    up.sort(key=lambda one: (not one.is_default, -one.free_cores, one.name))
    return up[0].name if up else None


def _progress(text: str) -> None:
    print(plain(text), file=sys.stderr)

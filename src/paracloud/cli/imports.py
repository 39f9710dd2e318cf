"""`paracloud usage import`: a log is sent, and its taking in is watched."""

import csv
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import typer
from rich.progress import Progress

from paracloud.cli import session, show
from paracloud.cli.ids import Id
from paracloud.cli.jobs import AsJson
from paracloud.cli.kinds import IMPORTS, LINES, kind
from paracloud.cli.reading import read_text, refusing
from paracloud.cli.words import both, plain, say
from paracloud.client.client import Client
from paracloud.dialects.histories import READERS, format_of
from paracloud.kit.errors import Invalid
from paracloud.kit.text_file import open_lines
from paracloud.wire.history import ImportModel, ImportRequest

LOOK_SECONDS = 0.5
KEYS = ("user", "account")


@dataclass(frozen=True, slots=True)
class Asked:
    file: Path
    format: str
    centre: str | None
    owners: Path | None
    accept_faults: bool
    leave_out: bool


def a_format(file: Path, wanted: str | None) -> str:
    """The one that is wanted, or else the log's own."""
    names = ", ".join(READERS)
    if wanted is not None and wanted not in READERS:
        raise typer.BadParameter(both(f"--format is one of {names}.", f"--format 可选 {names}。"))
    found = wanted or _told_format(file)
    if found is None:
        en = f"The first lines of {file} do not tell its format: give --format, one of {names}."
        zh = f"无法从 {file} 的前几行判断格式：请用 --format 指定，可选 {names}。"
        raise typer.BadParameter(plain(both(en, zh)))
    return found


def _told_format(file: Path) -> str | None:
    try:
        with open_lines(file, name=file.name) as lines:
            return format_of(lines)
    except Invalid as broken:
        raise typer.BadParameter(plain(both(f"{file}: {broken.en}", f"{file}：{broken.zh}"))) from None


def take_in(asked: Asked, *, no_wait: bool, as_json: bool) -> None:
    if asked.centre is None:
        raise typer.BadParameter(
            both(
                "Say whose log it is: --centre NAME; or add --dry-run.",
                "请用 --centre 指明超算中心；或加 --dry-run 只统计。",
            )
        )
    if asked.owners is None:
        raise typer.BadParameter(
            both(
                "Say whose the records are: --map FILE; or add --dry-run.",
                "请用 --map 指明归属；或加 --dry-run 只统计。",
            )
        )
    by, owners = read_map(asked.owners)
    tree = {"name": asked.file.name[:200], "centre": asked.centre, "format": asked.format, "by": by, "owners": owners}
    flags = {"accept_faults": asked.accept_faults, "leave_out": asked.leave_out}
    with session.client() as client, _bar() as bar:
        sending = bar.add_task(say("send", "上传"), total=asked.file.stat().st_size)
        log = client.send_log(asked.file, lambda count: bar.advance(sending, count))
        body = ImportRequest.model_validate(tree | flags | {"sha256": log.sha256})
        found = client.start_import(body)
        if not no_wait:
            found = _watched(client, found, bar)
        _tell(client, found, as_json=as_json)


def imports(as_json: AsJson = False) -> None:
    """List the imports of old logs, the newest first."""
    with session.client() as client:
        found = client.imports()
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.id, one.name, one.centre, kind(one.state, IMPORTS), one.records, one.done, one.faults)
        for one in found.items
    ]
    show.table(["import", "name", "centre", "state", "records", "done", "faults"], rows)


def show_import(
    import_id: Id,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an import, and every line that it could not read. Exit status 1 where it was refused."""
    with session.client() as client, _bar() as bar:
        found = client.show_import(import_id)
        _tell(client, _watched(client, found, bar) if wait else found, as_json=as_json)


def _bar() -> Progress:
    return Progress(console=show.errors, transient=True, disable=not show.errors.is_terminal)


def _watched(client: Client, found: ImportModel, bar: Progress) -> ImportModel:
    checking, storing = (bar.add_task(what, total=None) for what in (say("check", "检查"), say("store", "入库")))
    while not found.is_final:
        time.sleep(LOOK_SECONDS)
        found = client.show_import(found.id)
        bar.update(checking, completed=found.lines)
        if found.state != "checking":
            bar.update(storing, completed=found.done, total=found.records)
    return found


def _tell(client: Client, found: ImportModel, *, as_json: bool) -> None:
    faults = []
    for one in client.faults(found.id) if found.faults else ():
        print(plain(f"{one.line}: {say(one.en, one.zh)}: {one.text}"), file=sys.stderr)
        if as_json:
            faults.append(one.model_dump(mode="json"))
    tell_unmapped({name: (left.records, left.core_hours) for name, left in found.unmapped.items()})
    if found.state == "done":
        remark_on_nothing(found.lines, found.records)
    if as_json:
        show.as_json(found.model_dump(mode="json") | {"lines_not_understood": faults})
    else:
        print(plain(_summary(found)))
    if found.state == "refused" or found.faults:
        raise typer.Exit(1)


def tell_unmapped(left: Mapping[str, tuple[int, Decimal]]) -> None:
    """Records and core-hours of each name that is nobody's."""
    for name, (records, hours) in sorted(left.items(), key=lambda of: -of[1][1]):
        of = say(f"records {records}, core-hours {hours:.6f}", f"{records} 条，{hours:.6f} 核时")
        print(plain(f"{name}: {say('of no project', '无所属课题组')}: {of}"), file=sys.stderr)


def remark_on_nothing(lines: int, records: int) -> None:
    """Nothing went wrong, but hardly anybody means a log from which nothing comes."""
    if not lines:
        said = say(
            "The log is empty, or only a header: is it the file that you mean?",
            "日志为空，或仅有表头：请确认文件是否正确。",
        )
    elif not records:
        said = say(
            f"None of its {lines} lines is an execution to be stored: are they the log and the map that you mean?",
            f"共 {lines} 行，没有一行是可入库的执行记录：请确认日志与对应关系是否正确。",
        )
    else:
        return
    print(said, file=sys.stderr)


def _summary(found: ImportModel) -> str:
    if found.state == "refused":
        return say(f"refused: {found.reason_en}", f"未导入：{found.reason_zh}")
    others = ", ".join(f"{kind(why, LINES)} {count}" for why, count in found.left_out.items())
    nobodys = sum(left.records for left in found.unmapped.values())
    return say(
        f"{found.id} {found.state}: {found.records} records; new {found.new}, corrected {found.corrected}, known "
        f"{found.known}, unrated {found.unrated}; not understood {found.faults}; of no project {nobodys}; left out: "
        f"{others or '-'}",
        f"{found.id} {kind(found.state, IMPORTS)}：{found.records} 条记录；新增 {found.new}，更正 {found.corrected}，"
        f"已有 {found.known}，未定价 {found.unrated}；无法理解 {found.faults}；无所属课题组 "
        f"{nobodys}；未导入：{others or '-'}",
    )


def read_map(file: Path) -> tuple[str, dict[str, UUID]]:
    """Whose a name's records are; the header says whose names they are."""
    text = StringIO(read_text(file), newline="")
    with refusing(file):
        return _owners(file, text)


def _owners(file: Path, text: Iterable[str]) -> tuple[str, dict[str, UUID]]:
    rows = csv.reader(text)
    header = [word.strip().lower() for word in next(rows, [])]
    if len(header) != len(KEYS) or header[0] not in KEYS or header[1] != "project":
        _refuse(file, 1, "the header is user,project or account,project", "表头须为 user,project 或 account,project")
    owners: dict[str, UUID] = {}
    for row in rows:
        if not row:
            continue
        try:
            name, project = (word.strip() for word in row)
            wanted = UUID(project)
        except ValueError:
            _refuse(file, rows.line_num, "a name and the id of a project", "每行须为名称和课题组编号")
        if owners.setdefault(name, wanted) != wanted:
            _refuse(file, rows.line_num, f"{name} has a project already", f"{name} 已对应其他课题组")
    return header[0], owners


def _refuse(file: Path, line: int, en: str, zh: str) -> NoReturn:
    raise typer.BadParameter(plain(both(f"{file}, line {line}: {en}.", f"{file} 第 {line} 行：{zh}。")))

"""Bring a centre into the grid: checked, its host key pinned, its lent accounts listed."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store
from paracloud.centres.centre import Centre, Way
from paracloud.centres.lent_once import require_unlent, require_untaken
from paracloud.dialects.registry import DIALECTS, dialect_named
from paracloud.dialects.text import printable
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import CentreName, UnixAccount

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?")
ACCOUNT = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
HOST_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}( [\x20-\x7e]*)?")
LENT_AT_MOST = 10_000
COMMANDS_LEAST = 12
"""A minute: a round asks for the queue and for accounting, and a job is submitted now and then."""
KEY_LINE = ("one line as in ssh_host_ed25519_key.pub", "ssh_host_ed25519_key.pub 中的一行")
NAMED = (
    "a name of a-z, 0-9 and -, of at most 31 characters that begin with a letter",
    "以字母开头、由 a-z、0-9 和 - 组成的名称，最多 31 个字符",
)
ACCOUNTS = ("Unix account names, such as hpc001", "Unix 账号名，例如 hpc001")
SHOWN_MOST = 60
A_HOST = ("a host name or address", "主机名或地址")


async def connect_centre(
    session: AsyncSession, centre: Centre, accounts: Sequence[UnixAccount], *, dialects: Sequence[str], now: datetime
) -> None:
    """`dialects` are the schedulers that the platform speaks. Invalid names the field at fault; Conflict where the name
    is taken; one of which only history was kept is connected under its name. Nothing is asked of the centre here: the
    worker's next round does that."""
    _check_form(centre, accounts)
    check_host_key(centre.host_key)
    if centre.dialect not in dialects:
        known = ", ".join(dialects)
        raise Invalid(f"dialect: one of {known}.", f"dialect：可选 {known}。", field="dialect")
    way = Way.to(centre.host, centre.port, centre.host_key)
    await require_unlent(session, way, centre.name, accounts)
    if not (await store.reach_centre(session, centre, now) or await store.add_centre(session, centre, now)):
        raise _taken(centre.name)
    await store.lend(session, centre.name, accounts)


async def check_plan(
    session: AsyncSession, centre: Centre, accounts: Sequence[UnixAccount], tester: UnixAccount, *, is_look: bool
) -> None:
    """What would be refused of connecting this centre that can be known before its machine is asked anything; its host
    key and scheduler are not known yet. `tester` is to run the trial. `is_look`: it is not to be connected."""
    _check_form(centre, accounts)
    _check_lent(centre.service_account, [tester])
    way = Way.to(centre.host, centre.port, centre.host_key)
    await require_untaken(session, way, tester)
    if is_look:
        return
    known = await store.centre(session, centre.name)
    if known is not None and known.is_reached:
        raise _taken(centre.name)
    await require_unlent(session, way, centre.name, accounts)


async def keep_history(
    session: AsyncSession, centre: Centre, accounts: Sequence[UnixAccount], *, now: datetime
) -> None:
    """A centre that is not reached: its old logs come in, with prices and contracts, and nothing else. Invalid where a
    way to it is described all the same; Conflict where the name is taken."""
    check_name(centre.name)
    for field, given in (
        ("host_key", centre.host_key),
        ("service_account", centre.service_account),
        ("accounts", accounts),
    ):
        if given:
            raise Invalid(
                f"{field}: a centre without a host is not reached and has none.",
                f"{field}：未填写 host 即不接入，不应有该项。",
                field=field,
            )
    if not await store.add_centre(session, centre, now):
        raise Conflict(
            f"A centre named {centre.name} is there already.", f"超算中心 {centre.name} 已存在。", field="name"
        )


def _check_form(centre: Centre, accounts: Sequence[UnixAccount]) -> None:
    check_name(centre.name)
    _check_lent(centre.service_account, accounts)
    check_terms(centre)


def check_terms(centre: Centre) -> None:
    """Invalid names the field at fault of its address, budget and patience."""
    check_address(centre.host, centre.port)
    least = COMMANDS_LEAST
    if centre.dialect in DIALECTS:
        least = max(least, dialect_named(centre.dialect).commands_least)
    if not least <= centre.commands_per_minute <= 6000:
        raise Invalid(
            f"commands_per_minute: {least} to 6000. With fewer a job could not be submitted within a minute's budget.",
            f"commands_per_minute：{least} 到 6000。低于此值时，一分钟的预算不够提交一个作业。",
            field="commands_per_minute",
        )
    if centre.patience.total_seconds() < 1:
        raise Invalid("patience: at least one second.", "patience：至少 1 秒。", field="patience")


def _taken(name: CentreName) -> Conflict:
    return Conflict(
        f"A centre named {name} is connected already: `centres` shows it, and `centre connect --look` looks at it "
        "again. Another centre needs another name.",
        f"超算中心 {name} 已接入：可用 centres 查看，用 centre connect --look 重新检查。其他中心请使用其他名称。",
        field="name",
    )


def check_name(name: CentreName) -> None:
    """Invalid where no centre can be called so."""
    _matches("name", name, NAME, NAMED)


def check_way(
    host: str, port: int, host_key: str, service_account: UnixAccount, accounts: Sequence[UnixAccount]
) -> None:
    """Invalid names the field at fault of the way to a centre, and of whom it lends."""
    check_address(host, port)
    check_host_key(host_key)
    _check_lent(service_account, accounts)


def _check_lent(service_account: UnixAccount, accounts: Sequence[UnixAccount]) -> None:
    for account in (service_account, *accounts):
        _matches("accounts", account, ACCOUNT, ACCOUNTS)
    if "root" in (service_account, *accounts):
        raise Invalid("accounts: root is never lent.", "accounts：不能出借 root。", field="accounts")
    if service_account in accounts:
        raise Invalid(
            "service_account: it must not be one of the lent accounts.",
            "service_account：不能同时是出借账号。",
            field="service_account",
        )
    if not accounts or len(accounts) > LENT_AT_MOST:
        raise Invalid(f"accounts: 1 to {LENT_AT_MOST}.", f"accounts：1 到 {LENT_AT_MOST} 个。", field="accounts")


def check_host_key(line: str) -> None:
    """Invalid for what is no public key's line."""
    _matches("host_key", line, HOST_KEY, KEY_LINE)


def check_address(host: str, port: int) -> None:
    """Invalid names the field at fault."""
    _matches("host", host, HOST, A_HOST)
    if not 1 <= port <= 65535:
        raise Invalid("port: 1 to 65535.", "port：1 到 65535。", field="port")


def _matches(field: str, text: str, pattern: re.Pattern[str], wanted: tuple[str, str]) -> None:
    if not pattern.fullmatch(text):
        shown, (en, zh) = printable(text, SHOWN_MOST), wanted
        raise Invalid(f"{field}: '{shown}' is none; write {en}.", f"{field}：“{shown}”无效，应为：{zh}。", field=field)

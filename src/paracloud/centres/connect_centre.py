"""Bring a centre into the grid: checked, its host key pinned, its lent accounts listed."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store
from paracloud.centres.centre import Centre
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import UnixAccount

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?")
ACCOUNT = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
HOST_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}( [\x20-\x7e]*)?")
LENT_AT_MOST = 10_000
COMMANDS_LEAST = 12
"""A minute: a round asks for the queue and for accounting, and a job is submitted now and then."""
NAMED = "a-z, 0-9 and -, beginning with a letter, at most 31"


async def connect_centre(
    session: AsyncSession, centre: Centre, accounts: Sequence[UnixAccount], *, dialects: Sequence[str], now: datetime
) -> None:
    """`dialects` are the schedulers that the platform speaks. Invalid names the field at fault; Conflict where the name
    is taken; one of which only history was kept is connected under its name. Nothing is asked of the centre here: the
    worker's next round does that."""
    _check(centre, accounts, dialects)
    if not (await store.reach_centre(session, centre, now) or await store.add_centre(session, centre, now)):
        raise Conflict(
            f"A centre named {centre.name} is connected already.", f"超算中心 {centre.name} 已接入。", field="name"
        )
    await store.lend(session, centre.name, accounts)


async def keep_history(
    session: AsyncSession, centre: Centre, accounts: Sequence[UnixAccount], *, now: datetime
) -> None:
    """A centre that is not reached: its old logs come in, with prices and contracts, and nothing else. Invalid where a
    way to it is described all the same; Conflict where the name is taken."""
    _matches("name", centre.name, NAME, NAMED)
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


def _check(centre: Centre, accounts: Sequence[UnixAccount], dialects: Sequence[str]) -> None:
    _matches("name", centre.name, NAME, NAMED)
    check_way(centre.host, centre.port, centre.host_key, centre.service_account, accounts)
    if centre.dialect not in dialects:
        known = ", ".join(dialects)
        raise Invalid(f"dialect: one of {known}.", f"dialect：可选 {known}。", field="dialect")
    if not COMMANDS_LEAST <= centre.commands_per_minute <= 6000:
        raise Invalid(
            f"commands_per_minute: {COMMANDS_LEAST} to 6000.",
            f"commands_per_minute：{COMMANDS_LEAST} 到 6000。",
            field="commands_per_minute",
        )
    if centre.patience.total_seconds() < 1:
        raise Invalid("patience: at least one second.", "patience：至少 1 秒。", field="patience")


def check_way(
    host: str, port: int, host_key: str, service_account: UnixAccount, accounts: Sequence[UnixAccount]
) -> None:
    """Invalid names the field at fault of the way to a centre, and of whom it lends."""
    check_address(host, port)
    _matches("host_key", host_key, HOST_KEY, "one line as in ssh_host_ed25519_key.pub")
    for account in (service_account, *accounts):
        _matches("accounts", account, ACCOUNT, "Unix account names")
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


def check_address(host: str, port: int) -> None:
    """Invalid names the field at fault."""
    _matches("host", host, HOST, "a host name or address")
    if not 1 <= port <= 65535:
        raise Invalid("port: 1 to 65535.", "port：1 到 65535。", field="port")


def _matches(field: str, text: str, pattern: re.Pattern[str], wanted: str) -> None:
    if not pattern.fullmatch(text):
        raise Invalid(f"{field}: write {wanted}.", f"{field}：格式不正确（{wanted}）。", field=field)

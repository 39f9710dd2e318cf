"""The operator says what a centre has: applications, licences, how far it is trusted, how fast files come there."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store_provisions
from paracloud.centres.centre import TRUST_MOST, Provision
from paracloud.centres.registry import get_centre
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName

NAMES_MOST = 1000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,79}", re.ASCII)
"""Of an application or a licence: what `--licenses` takes, so that the two can meet."""


class Changes(TypedDict, total=False):
    """Of a Provision, what becomes another; the rest stays."""

    applications: frozenset[str]
    licences: frozenset[str]
    trust: int
    bytes_per_second: int


async def provide(
    session: AsyncSession, centre: CentreName, changes: Changes, *, person: str, now: datetime
) -> Provision:
    """What is said of it now. NotFound for an unknown centre, Invalid for a name or a level that cannot be meant. It
    holds for what is quoted and submitted from now on; jobs that are there stay there."""
    await get_centre(session, centre)
    check_names("applications", changes.get("applications", ()))
    check_names("licences", changes.get("licences", ()))
    if not 0 <= changes.get("trust", 0) <= TRUST_MOST:
        raise Invalid(f"trust: 0 to {TRUST_MOST}.", f"trust：0 到 {TRUST_MOST}。", field="trust")
    if changes.get("bytes_per_second", 1) < 1:
        raise Invalid("bytes_per_second: above 0.", "bytes_per_second：必须大于 0。", field="bytes_per_second")
    after = replace(await store_provisions.lock_provision(session, centre, now, person), **changes)
    await store_provisions.put_provision(session, centre, after, now, person)
    return after


def check_names(field: str, names: Iterable[str]) -> None:
    listed = list(names)
    wrong = next((name for name in listed if not _NAME.fullmatch(name)), None)
    if wrong is not None or len(listed) > NAMES_MOST:
        shown = "" if wrong is None else f", not {wrong[:40]!a}"
        raise Invalid(
            f"{field}: up to {NAMES_MOST} names of letters, digits and . _ / + -, such as lammps{shown}.",
            f"{field}：最多 {NAMES_MOST} 个由字母、数字和 . _ / + - 组成的名称，例如 lammps。",
            field=field,
        )

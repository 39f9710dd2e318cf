"""Every query of statements. What a charge was for is read from the revision that it charged, so that the statement of
a closed month never changes; a correction adds what differs from the charge before, a reversal takes back all that its
revision says. Duplicates, the platform's own cost, are on none."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, TextClause, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from paracloud.kit.identifiers import ProjectId, UsageId

PAGE = 1000
CHARGED = """
      FROM charges AS charge
      JOIN usage ON usage.id = charge.usage_id
      JOIN usage_revisions AS seen ON (seen.usage_id, seen.revision) = (charge.usage_id, charge.revision)
      JOIN price_versions AS price ON price.id = charge.price_version_id
      JOIN projects ON projects.id = charge.project_id
      LEFT JOIN users ON users.id = charge.user_id
      LEFT JOIN usage_decisions AS said ON (said.usage_id, said.revision) = (charge.usage_id, charge.revision)
       AND said.price_version_id IS NOT NULL
     CROSS JOIN LATERAL (SELECT (seen.measured->>'cores')::bigint AS cores, (seen.measured->>'gpus')::bigint AS cards,
                                (seen.measured->>'elapsed_seconds')::bigint AS seconds OFFSET 0) AS now
      LEFT JOIN LATERAL (
           SELECT earlier.is_reversal AS is_whole,
                  (had.measured->>'cores')::bigint * (had.measured->>'elapsed_seconds')::bigint AS core_seconds,
                  (had.measured->>'gpus')::bigint * (had.measured->>'elapsed_seconds')::bigint AS card_seconds
             FROM charges AS earlier
             JOIN usage_revisions AS had ON (had.usage_id, had.revision) = (earlier.usage_id, earlier.revision)
            WHERE charge.revision > 1 AND NOT charge.is_reversal
              AND earlier.usage_id = charge.usage_id AND earlier.revision < charge.revision
            ORDER BY earlier.revision DESC, earlier.is_reversal DESC LIMIT 1) AS before ON true
     CROSS JOIN LATERAL (SELECT CASE WHEN charge.is_reversal THEN -1 ELSE 1 END AS sign OFFSET 0) AS as_
     WHERE charge.project_id = ANY(:projects) AND NOT charge.is_duplicate
"""
OF_MONTH, OF_JOB = "AND charge.period = :period", "AND charge.reference = :reference"
LESS = "CASE WHEN before.is_whole THEN 0 ELSE COALESCE(before.{}_seconds, 0) END"
"""A reversal takes back all, and what is charged after it is charged whole."""
CORE_SECONDS = f"as_.sign * (now.cores * now.seconds - {LESS.format('core')})"
CARD_SECONDS = f"as_.sign * (now.cards * now.seconds - {LESS.format('card')})"
WHO = "COALESCE(users.login, usage.account)"
UNIT_PRICES = ", ".join(
    f"{which}(price.{kind}_hour) FILTER (WHERE price.rule IS NULL) AS {kind}_{name}"
    for kind in ("core", "card")
    for which, name in (("min", "least"), ("max", "most"))
)
SUMS = text(f"""
    SELECT projects.name AS project, price.product_line, usage.centre, seen.measured->>'queue' AS queue, {WHO} AS who,
           GROUPING(usage.centre) = 1 AS is_by_user, charge.currency,
           count(*) FILTER (WHERE before IS NULL AND NOT charge.is_reversal) AS jobs,
           sum({CORE_SECONDS})::bigint AS core_seconds, sum({CARD_SECONDS})::bigint AS card_seconds,
           sum(charge.list_micro)::bigint AS list, sum(charge.amount_micro)::bigint AS amount,
           sum(charge.package_micro)::bigint AS package, sum(charge.credit_micro)::bigint AS credit,
           bool_or(price.rule IS NOT NULL) AS has_rule, {UNIT_PRICES}
           {CHARGED} {OF_MONTH}
     GROUP BY GROUPING SETS ((projects.name, price.product_line, usage.centre, seen.measured->>'queue',
                              charge.currency), (projects.name, {WHO}, charge.currency))
     ORDER BY 1, 2, 3, 4, 5
""").bindparams(bindparam("projects", type_=ARRAY(Uuid)))
LINE = f"""
    SELECT charge.usage_id, charge.revision, charge.is_reversal, before IS NULL AS is_first, charge.project_id,
           {WHO} AS who, charge.reference, usage.name, usage.record_id, usage.centre, price.product_line, seen.measured,
           charge.charged_at, now.cores, now.cards, now.seconds, {CORE_SECONDS} AS core_seconds,
           {CARD_SECONDS} AS card_seconds, charge.list_micro AS list, charge.amount_micro AS amount,
           charge.package_micro AS package, charge.credit_micro AS credit, price.id AS price_id, price.core_hour,
           price.card_hour, price.rule IS NOT NULL AS has_rule, COALESCE(charge.reason, said.reason) AS reason,
           charge.entry_id, COALESCE(before.is_whole, false) AND NOT charge.is_reversal AS is_anew
           {CHARGED}
"""
LINES, LINES_OF_JOB = (
    text(LINE + of + " ORDER BY charge.usage_id, charge.revision, charge.is_reversal").bindparams(
        bindparam("projects", type_=ARRAY(Uuid))
    )
    for of in (OF_MONTH, OF_JOB)
)
TAKEN = text("""
    SELECT used.usage_id, used.revision, used.is_reversal, package.id, package.name, package.unit, used.units,
           used.micro
      FROM package_uses AS used JOIN packages AS package ON package.id = used.package_id
     WHERE used.usage_id = ANY(:usages) ORDER BY package.expires_at, package.id
""").bindparams(bindparam("usages", type_=ARRAY(Uuid)))
MOVED = text("""
    WITH own AS (SELECT id, currency, split_part(code, ':', 2)::uuid AS project_id FROM ledger_accounts
                  WHERE code = ANY(:codes)),
         moved AS (SELECT entry.id, own.project_id, own.currency, sum(posting.micro)::bigint AS micro
                     FROM own JOIN ledger_postings AS posting ON posting.account_id = own.id
                     JOIN ledger_entries AS entry ON entry.id = posting.entry_id
                    WHERE entry.created_at >= :start AND entry.created_at < :end
                    GROUP BY 1, 2, 3 HAVING sum(posting.micro) <> 0)
    SELECT entry.id, entry.created_at, moved.project_id, entry.kind, moved.currency, moved.micro, entry.reason,
           COALESCE(package.name, nodes.centre || '/' || nodes.queue) AS of,
           entry.kind IN ('package', 'package-end', 'dedicated', 'adjustment')
           OR (entry.kind = 'reversal' AND NOT EXISTS (
               SELECT 1 FROM ledger_postings AS other JOIN ledger_accounts AS account ON account.id = other.account_id
                WHERE other.entry_id = entry.id AND account.code LIKE 'cash:%')) AS is_cost
      FROM moved JOIN ledger_entries AS entry ON entry.id = moved.id
      LEFT JOIN packages AS package ON entry.kind IN ('package', 'package-end', 'reversal')
       AND package.id::text = entry.reference
      LEFT JOIN dedications AS nodes ON entry.kind IN ('dedicated', 'reversal') AND nodes.id::text = entry.reference
     WHERE NOT EXISTS (SELECT 1 FROM charges WHERE charges.entry_id = entry.id)
     ORDER BY entry.created_at, entry.id
""").bindparams(bindparam("codes", type_=ARRAY(Text)))
BALANCES = text("""
    SELECT account.currency,
           COALESCE(sum(posting.micro) FILTER (WHERE entry.created_at < :start), 0)::bigint AS opening,
           COALESCE(sum(posting.micro), 0)::bigint AS closing
      FROM ledger_accounts AS account JOIN ledger_postings AS posting ON posting.account_id = account.id
      JOIN ledger_entries AS entry ON entry.id = posting.entry_id
     WHERE account.code = ANY(:codes) AND entry.created_at < :end GROUP BY 1
""").bindparams(bindparam("codes", type_=ARRAY(Text)))
EXPIRED = text("""
    SELECT entry.id, entry.created_at, package.project_id, package.id AS package_id, package.name, package.unit,
           package.total - package.used AS units, -posting.micro AS micro
      FROM packages AS package
      JOIN ledger_accounts AS account ON account.code = 'package:' || package.id
      JOIN ledger_postings AS posting ON posting.account_id = account.id
      JOIN ledger_entries AS entry ON entry.id = posting.entry_id AND entry.kind = 'expiry'
     WHERE package.project_id = ANY(:projects) AND entry.created_at >= :start AND entry.created_at < :end
     ORDER BY entry.created_at, entry.id
""").bindparams(bindparam("projects", type_=ARRAY(Uuid)))
PROJECTS = text("""
    SELECT projects.id, projects.name, organisations.id AS organisation_id, organisations.name AS organisation
      FROM projects JOIN organisations ON organisations.id = projects.organisation_id
     WHERE projects.id = :project OR organisations.id = :organisation ORDER BY projects.name
""").bindparams(bindparam("project", type_=Uuid), bindparam("organisation", type_=Uuid))

AnyRow = Row[*tuple[Any, ...]]


class Key(NamedTuple):
    """Of a charge."""

    usage: UsageId
    revision: int
    is_reversal: bool


async def one_view(session: AsyncSession) -> None:
    await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


async def projects(
    session: AsyncSession, *, project: UUID | None = None, organisation: UUID | None = None
) -> Sequence[AnyRow]:
    return (await session.execute(PROJECTS, {"project": project, "organisation": organisation})).all()


async def sums(session: AsyncSession, of: Sequence[ProjectId], period: date) -> Sequence[AnyRow]:
    """By place and, the same again, by user (`is_by_user`)."""
    return (await session.execute(SUMS, {"projects": list(of), "period": period})).all()


def lines(session: AsyncSession, of: Sequence[ProjectId], period: date) -> AsyncIterator[Sequence[AnyRow]]:
    """Every charge of a month once, in the order of its key, by pages: read from one cursor, so sorted once."""
    return _pages(session, LINES, {"projects": list(of), "period": period})


def lines_of_job(session: AsyncSession, of: ProjectId, reference: str) -> AsyncIterator[Sequence[AnyRow]]:
    return _pages(session, LINES_OF_JOB, {"projects": [of], "reference": reference})


async def _pages(
    session: AsyncSession, query: TextClause, values: Mapping[str, object]
) -> AsyncIterator[Sequence[AnyRow]]:
    found = await session.stream(query, values, execution_options={"yield_per": PAGE})
    async for page in found.partitions(PAGE):
        yield page


async def taken(session: AsyncSession, usages: Sequence[UsageId]) -> dict[Key, list[AnyRow]]:
    """What charges of these usages took from packages and credits, earliest expiry first."""
    found: dict[Key, list[AnyRow]] = {}
    for row in (await session.execute(TAKEN, {"usages": list(usages)})).all():
        found.setdefault(Key(row.usage_id, row.revision, row.is_reversal), []).append(row)
    return found


async def moved(session: AsyncSession, codes: Sequence[str], start: datetime, end: datetime) -> Sequence[AnyRow]:
    """Entries other than charges that changed what these accounts have together; a hold changes nothing."""
    return (await session.execute(MOVED, {"codes": list(codes), "start": start, "end": end})).all()


async def balances(session: AsyncSession, codes: Sequence[str], start: datetime, end: datetime) -> Sequence[AnyRow]:
    """currency, opening, closing."""
    return (await session.execute(BALANCES, {"codes": list(codes), "start": start, "end": end})).all()


async def expired(session: AsyncSession, of: Sequence[ProjectId], start: datetime, end: datetime) -> Sequence[AnyRow]:
    return (await session.execute(EXPIRED, {"projects": list(of), "start": start, "end": end})).all()

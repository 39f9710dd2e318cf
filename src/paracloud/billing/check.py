"""The daily check: what must be true of the ledger, and every place where it is not, by name and amount."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` names the rule, `where` the thing, `micro` by how much it is off (a count for rules that count)."""

    what: str
    where: str
    micro: int


RULES: dict[str, str] = {
    "the postings of each currency sum to zero": """
        SELECT account.currency, sum(posting.micro) FROM ledger_postings posting
          JOIN ledger_accounts account ON account.id = posting.account_id
         GROUP BY account.currency HAVING sum(posting.micro) <> 0
    """,
    "every entry sums to zero": """
        SELECT posting.entry_id::text, sum(posting.micro) FROM ledger_postings posting
         GROUP BY posting.entry_id HAVING sum(posting.micro) <> 0
    """,
    "every entry has postings": """
        SELECT entry.key, 1 FROM ledger_entries entry
         WHERE NOT EXISTS (SELECT 1 FROM ledger_postings posting WHERE posting.entry_id = entry.id)
    """,
    "a balance is the sum of its postings": """
        SELECT account.code, account.balance_micro - coalesce(sum(posting.micro), 0) FROM ledger_accounts account
          LEFT JOIN ledger_postings posting ON posting.account_id = account.id
         GROUP BY account.id HAVING account.balance_micro <> coalesce(sum(posting.micro), 0)
    """,
    "what is held equals the open holds": """
        SELECT coalesce(open.code, account.code), coalesce(account.balance_micro, 0) - coalesce(open.micro, 0)
          FROM (SELECT 'held:' || project_id AS code, sum(amount_micro - captured_micro) AS micro
                  FROM holds WHERE released_at IS NULL GROUP BY project_id) AS open
          FULL JOIN (SELECT * FROM ledger_accounts WHERE code LIKE 'held:%') AS account ON account.code = open.code
         WHERE coalesce(account.balance_micro, 0) <> coalesce(open.micro, 0)
    """,
    "a hold is what was posted to it": """
        SELECT hold.reference, hold.amount_micro - coalesce(sum(posting.micro), 0) FROM holds AS hold
          LEFT JOIN ledger_entries AS entry ON entry.reference = hold.reference AND entry.kind = 'hold'
          LEFT JOIN (SELECT posting.entry_id, posting.micro FROM ledger_postings AS posting
                       JOIN ledger_accounts AS account ON account.id = posting.account_id
                      WHERE account.code LIKE 'held:%') AS posting ON posting.entry_id = entry.id
         GROUP BY hold.reference, hold.amount_micro
        HAVING hold.amount_micro <> coalesce(sum(posting.micro), 0)
    """,
    "what a hold gave equals the postings of its charges": """
        SELECT hold.reference, hold.captured_micro - coalesce(sum(-posting.micro), 0) FROM holds AS hold
          LEFT JOIN ledger_entries AS entry ON entry.reference = hold.reference AND entry.kind = 'charge'
          LEFT JOIN (SELECT posting.entry_id, posting.micro FROM ledger_postings AS posting
                       JOIN ledger_accounts AS account ON account.id = posting.account_id
                      WHERE account.code LIKE 'held:%') AS posting ON posting.entry_id = entry.id
         GROUP BY hold.reference, hold.captured_micro
        HAVING hold.captured_micro <> coalesce(sum(-posting.micro), 0)
    """,
    "every usage revision has its evidence": """
        SELECT usage.id::text, 1 FROM usage
         WHERE NOT EXISTS (SELECT 1 FROM usage_revisions AS seen
                            WHERE (seen.usage_id, seen.revision) = (usage.id, usage.revision))
    """,
    "every usage is charged, listed as unrated, or costs nothing by a person's word": """
        SELECT usage.id::text, 1 FROM usage
         WHERE NOT EXISTS (SELECT 1 FROM charges c WHERE (c.usage_id, c.revision) = (usage.id, usage.revision))
           AND NOT EXISTS (SELECT 1 FROM unrated_usage u WHERE (u.usage_id, u.revision) = (usage.id, usage.revision))
           AND NOT EXISTS (SELECT 1 FROM usage_decisions d
                            WHERE (d.usage_id, d.revision) = (usage.id, usage.revision) AND d.price_version_id IS NULL)
    """,
    "what a person decided on is charged at that price, or not at all": """
        SELECT said.usage_id::text, 1 FROM usage_decisions AS said
          LEFT JOIN charges AS charge ON (charge.usage_id, charge.revision) = (said.usage_id, said.revision)
           AND NOT charge.is_reversal
         WHERE charge.price_version_id IS DISTINCT FROM said.price_version_id
           AND NOT (said.price_version_id IS NULL AND EXISTS (
               SELECT 1 FROM charges AS back
                WHERE (back.usage_id, back.revision) = (said.usage_id, said.revision) AND back.is_reversal))
    """,
    "every charge stands in the ledger": """
        SELECT charge.usage_id::text, charge.amount_micro FROM charges charge
          LEFT JOIN ledger_entries entry ON entry.id = charge.entry_id
           AND (charge.is_reversal OR entry.key LIKE 'charges:%'
                OR entry.key = 'charge:' || charge.usage_id || ':' || charge.revision)
         WHERE entry.id IS NULL
           AND (CASE WHEN charge.is_duplicate THEN charge.share_micro + charge.owner_micro ELSE charge.amount_micro END)
               <> 0
    """,
    "the entry of a charge posts what the charge says": """
        SELECT said.usages, said.amount
          FROM (SELECT entry_id, min(usage_id::text) AS usages, sum(amount_micro) AS amount,
                       sum(share_micro + owner_micro) AS settled, sum(owner_micro) AS owner,
                       sum(CASE WHEN is_duplicate THEN 0 ELSE amount_micro - credit_micro END) AS paid,
                       sum(credit_micro) AS credit
                  FROM charges WHERE entry_id IS NOT NULL GROUP BY entry_id) AS said
          JOIN (SELECT posting.entry_id,
                       sum(micro) FILTER (WHERE account.code LIKE 'payable:%') AS settled,
                       sum(micro) FILTER (WHERE account.code LIKE 'payable:owner/%') AS owner,
                       -sum(micro) FILTER (WHERE account.code ~ '^(wallet|held|package):') AS paid,
                       -sum(micro) FILTER (WHERE account.code = 'expense:credits') AS credit
                  FROM ledger_postings AS posting JOIN ledger_accounts AS account ON account.id = posting.account_id
                 WHERE posting.entry_id IN (SELECT entry_id FROM charges)
                 GROUP BY posting.entry_id) AS posted ON posted.entry_id = said.entry_id
         WHERE (said.settled, said.owner, said.paid, said.credit)
               <> (coalesce(posted.settled, 0), coalesce(posted.owner, 0), coalesce(posted.paid, 0),
                   coalesce(posted.credit, 0))
    """,
    "what a charge gives the centre and the lender is what its contract says": """
        SELECT said.usage_id::text, said.share - due.share + said.owner - due.owner
          FROM (SELECT usage_id, contract_id, sum(share_micro) AS share, sum(owner_micro) AS owner,
                       CASE WHEN bool_or(is_reversal) THEN 0 ELSE sum(amount_micro) END AS amount
                  FROM (SELECT *, count(*) FILTER (WHERE is_reversal) OVER later AS reversals FROM charges
                        WINDOW later AS (PARTITION BY usage_id ORDER BY revision DESC, is_reversal DESC)) AS one
                 GROUP BY usage_id, reversals, contract_id) AS said
          JOIN contracts AS contract ON contract.id = said.contract_id
         CROSS JOIN LATERAL (SELECT said.amount * contract.share_basis_points AS share,
                                    said.amount * contract.owner_basis_points AS owner) AS parts
         CROSS JOIN LATERAL (
           SELECT round(parts.share / 10000) - (mod(parts.share, 20000) = 5000)::int
                    + (mod(parts.share, 20000) = -5000)::int AS share,
                  round(parts.owner / 10000) - (mod(parts.owner, 20000) = 5000)::int
                    + (mod(parts.owner, 20000) = -5000)::int AS owner) AS due
         WHERE (said.share, said.owner) <> (due.share, due.owner)
    """,
    "a lender's part is posted to whom the contract names": """
        SELECT said.usages, said.owner - coalesce(posted.micro, 0)
          FROM (SELECT entry_id, contract_id, min(usage_id::text) AS usages, sum(owner_micro) AS owner
                  FROM charges WHERE entry_id IS NOT NULL GROUP BY entry_id, contract_id
                HAVING sum(owner_micro) <> 0) AS said
          JOIN contracts AS contract ON contract.id = said.contract_id
          LEFT JOIN (SELECT posting.entry_id, account.code, posting.micro FROM ledger_postings AS posting
                       JOIN ledger_accounts AS account ON account.id = posting.account_id
                      WHERE account.code LIKE 'payable:owner/%') AS posted
            ON posted.entry_id = said.entry_id AND posted.code = 'payable:owner/' || contract.owner_project_id
         WHERE said.owner <> coalesce(posted.micro, 0)
    """,
    "a package has given what its uses say": """
        SELECT package.id::text, package.used - coalesce(sum(used.units), 0) FROM packages AS package
          LEFT JOIN package_uses AS used ON used.package_id = package.id
         WHERE package.closed_at IS NULL
         GROUP BY package.id, package.used HAVING package.used <> coalesce(sum(used.units), 0)
    """,
    "what is reserved of a package waits for open holds": """
        SELECT package.id::text, package.reserved - coalesce(sum(kept.units), 0) FROM packages AS package
          LEFT JOIN package_reservations AS kept ON kept.package_id = package.id
           AND EXISTS (SELECT 1 FROM holds WHERE holds.reference = kept.reference AND holds.released_at IS NULL)
         GROUP BY package.id, package.reserved HAVING package.reserved <> coalesce(sum(kept.units), 0)
    """,
    "a package's account holds what it has not given yet": """
        SELECT package.id::text, coalesce(account.balance_micro, 0)
               - CASE WHEN package.closed_at IS NULL
                      THEN package.price_micro - coalesce(sum(used.micro), 0) ELSE 0 END
          FROM packages AS package
          LEFT JOIN ledger_accounts AS account ON account.code = 'package:' || package.id
          LEFT JOIN package_uses AS used ON used.package_id = package.id
         WHERE package.unit <> 'micro'
         GROUP BY package.id, package.closed_at, package.price_micro, account.balance_micro
        HAVING coalesce(account.balance_micro, 0)
               <> CASE WHEN package.closed_at IS NULL THEN package.price_micro - coalesce(sum(used.micro), 0) ELSE 0 END
    """,
    "what packages and credits gave is what the charges say": """
        SELECT charge.usage_id::text, charge.package_micro + charge.credit_micro - coalesce(used.micro, 0)
          FROM charges AS charge
          LEFT JOIN (SELECT use.usage_id, use.revision, use.is_reversal,
                            sum(CASE WHEN package.unit = 'micro' THEN use.units ELSE use.micro END) AS micro
                       FROM package_uses AS use JOIN packages AS package ON package.id = use.package_id
                      GROUP BY 1, 2, 3) AS used
            ON (used.usage_id, used.revision, used.is_reversal)
               = (charge.usage_id, charge.revision, charge.is_reversal)
         WHERE charge.package_micro + charge.credit_micro <> coalesce(used.micro, 0)
    """,
    "packages give a usage no more than it used": """
        SELECT usage.id::text, given.units - most.units
          FROM (SELECT use.usage_id, package.unit, sum(use.units) AS units
                  FROM package_uses AS use JOIN packages AS package ON package.id = use.package_id
                 WHERE package.unit <> 'micro' GROUP BY 1, 2) AS given
          JOIN usage ON usage.id = given.usage_id
         CROSS JOIN LATERAL (SELECT usage.elapsed_seconds * CASE WHEN given.unit = 'core-second' THEN usage.cores
                                                                 ELSE usage.gpus END AS units) AS most
         WHERE given.units < 0 OR (given.units > most.units AND EXISTS (
               SELECT 1 FROM charges WHERE (charges.usage_id, charges.revision) = (usage.id, usage.revision)))
    """,
    "the volume of a month is the sum of its charges": """
        SELECT volume.payer, volume.list_micro - coalesce(sum(charge.list_micro), 0) FROM volumes AS volume
          LEFT JOIN (SELECT charges.*, projects.organisation_id FROM charges
                       JOIN projects ON projects.id = charges.project_id WHERE NOT is_duplicate) AS charge
            ON charge.price_version_id = volume.price_version_id AND charge.volume_month = volume.period
           AND volume.payer IN ('project:' || charge.project_id, 'organisation:' || charge.organisation_id)
         GROUP BY volume.payer, volume.price_version_id, volume.period, volume.list_micro
        HAVING volume.list_micro <> coalesce(sum(charge.list_micro), 0)
    """,
    "what a settlement says of its month is what its charges say": """
        SELECT stated.centre || ' ' || stated.period, stated.share_micro - coalesce(said.share, 0)
          FROM settlements AS stated
          LEFT JOIN (SELECT usage.centre, charge.period, charge.currency, sum(charge.share_micro) AS share
                       FROM charges AS charge JOIN usage ON usage.id = charge.usage_id
                      GROUP BY 1, 2, 3) AS said USING (centre, period, currency)
         WHERE stated.share_micro <> coalesce(said.share, 0)
    """,
    "a settlement is the sum of its contracts": """
        SELECT stated.centre || ' ' || stated.period,
               stated.share_micro + stated.tiers_micro + stated.minimum_micro + stated.fixed_micro
               - sum(own.share_micro + own.tiers_micro + own.minimum_micro + own.fixed_micro)
          FROM settlements AS stated JOIN settlement_contracts AS own ON own.settlement_id = stated.id
         GROUP BY stated.id
        HAVING (stated.charges, stated.gross_micro, stated.share_micro, stated.tiers_micro, stated.minimum_micro,
                stated.fixed_micro)
               <> (sum(own.charges), sum(own.gross_micro), sum(own.share_micro), sum(own.tiers_micro),
                   sum(own.minimum_micro), sum(own.fixed_micro))
    """,
    "what a settlement adds and pays stands in the ledger": """
        SELECT stated.centre || ' ' || stated.period, due.micro - coalesce(posted.micro, 0)
          FROM settlements AS stated
          CROSS JOIN LATERAL (
            SELECT stated.tiers_micro + stated.minimum_micro + stated.fixed_micro + stated.adjusted_micro AS added
          ) AS more
          CROSS JOIN LATERAL (
            SELECT more.added - CASE WHEN stated.state = 'paid'
                                     THEN stated.share_micro + stated.fees_micro + more.added ELSE 0 END AS micro
          ) AS due
          LEFT JOIN (SELECT entry.reference, sum(posting.micro) AS micro FROM ledger_entries AS entry
                       JOIN ledger_postings AS posting ON posting.entry_id = entry.id
                       JOIN ledger_accounts AS account ON account.id = posting.account_id
                        AND account.code LIKE 'payable:%'
                      WHERE entry.kind IN ('settlement', 'adjustment', 'payment') GROUP BY 1) AS posted
            ON posted.reference = stated.id::text
         WHERE due.micro <> coalesce(posted.micro, 0)
    """,
    "every charging entry has its charge": """
        SELECT entry.key, 1 FROM ledger_entries AS entry
         WHERE entry.kind = 'charge' AND NOT EXISTS (SELECT 1 FROM charges WHERE charges.entry_id = entry.id)
    """,
}


async def check(session: AsyncSession) -> list[Difference]:
    """Empty when all is well. Reads only."""
    found: list[Difference] = []
    for what, query in RULES.items():
        rows = (await session.execute(text(query))).all()
        found += [Difference(what, str(where), int(micro)) for where, micro in rows]
    return found


async def ledger_sum_micro(session: AsyncSession) -> int:
    """The sum of all postings there are: zero, or the ledger is broken."""
    return int((await session.execute(text("SELECT coalesce(sum(micro), 0) FROM ledger_postings"))).scalar_one())

"""What must be true of charges: each by its name, with a query for where it is not and by how much."""

from collections.abc import Mapping

TRUTHS_OF_CHARGES: Mapping[str, str] = {
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
                       sum(amount_micro - package_micro - credit_micro) FILTER (WHERE NOT is_duplicate) AS wallet,
                       sum(package_micro) AS package, sum(credit_micro) AS credit
                  FROM charges WHERE entry_id IS NOT NULL GROUP BY entry_id) AS said
          JOIN (SELECT posting.entry_id,
                       sum(micro) FILTER (WHERE account.code LIKE 'payable:%') AS settled,
                       sum(micro) FILTER (WHERE account.code LIKE 'payable:owner/%') AS owner,
                       -sum(micro) FILTER (WHERE account.code ~ '^(wallet|held):') AS wallet,
                       -sum(micro) FILTER (WHERE account.code LIKE 'package:%') AS package,
                       -sum(micro) FILTER (WHERE account.code = 'expense:credits') AS credit
                  FROM ledger_postings AS posting JOIN ledger_accounts AS account ON account.id = posting.account_id
                 WHERE posting.entry_id IN (SELECT entry_id FROM charges)
                 GROUP BY posting.entry_id) AS posted ON posted.entry_id = said.entry_id
         WHERE (said.settled, said.owner, coalesce(said.wallet, 0), said.package, said.credit)
               <> (coalesce(posted.settled, 0), coalesce(posted.owner, 0), coalesce(posted.wallet, 0),
                   coalesce(posted.package, 0), coalesce(posted.credit, 0))
    """,
    "what a charge costs is paid by its own project": """
        SELECT (SELECT min(one.usage_id::text) FROM charges AS one
                 WHERE one.entry_id = coalesce(said.entry_id, posted.entry_id)) || ' ' || project,
               coalesce(said.paid, 0) - coalesce(posted.paid, 0)
          FROM (SELECT entry_id, project_id::text AS project,
                       sum(CASE WHEN is_duplicate THEN 0 ELSE amount_micro - credit_micro END) AS paid
                  FROM charges WHERE entry_id IS NOT NULL GROUP BY entry_id, project_id) AS said
          FULL JOIN (SELECT posting.entry_id, -sum(posting.micro) AS paid,
                            coalesce(package.project_id::text, split_part(account.code, ':', 2)) AS project
                       FROM ledger_postings AS posting
                       JOIN ledger_accounts AS account ON account.id = posting.account_id
                        AND account.code ~ '^(wallet|held|package):'
                       LEFT JOIN packages AS package ON account.code = 'package:' || package.id
                      WHERE posting.entry_id IN (SELECT entry_id FROM charges)
                      GROUP BY 1, 3) AS posted USING (entry_id, project)
         WHERE coalesce(said.paid, 0) <> coalesce(posted.paid, 0)
    """,
    "a charge is of the project that used it": """
        SELECT charge.usage_id::text, charge.amount_micro FROM charges AS charge
          LEFT JOIN usage ON usage.id = charge.usage_id WHERE usage.project_id IS DISTINCT FROM charge.project_id
    """,
    "a charge falls into the month that its usage ended in, or the first that was open": """
        SELECT charge.usage_id::text, charge.amount_micro FROM charges AS charge
          JOIN usage_revisions AS seen ON (seen.usage_id, seen.revision) = (charge.usage_id, charge.revision)
         CROSS JOIN LATERAL (SELECT date_trunc(
           'month', (seen.measured->>'ended_at')::timestamptz AT TIME ZONE 'UTC')::date AS month) AS ended
         WHERE charge.period <> ended.month
           AND NOT (charge.is_reversal AND EXISTS (
               SELECT 1 FROM charges AS taken WHERE taken.usage_id = charge.usage_id AND NOT taken.is_reversal
                  AND taken.period = charge.period))
           AND NOT (charge.period > ended.month AND EXISTS (
               SELECT 1 FROM billing_periods AS sooner WHERE sooner.closed_at IS NOT NULL
                  AND sooner.period = (charge.period - interval '1 month')::date))
    """,
    "a reversal takes back what was charged, and nothing else": """
        SELECT usage_id::text, coalesce(nullif(money, 0), nullif(credit, 0), nullif(share, 0), nullif(owner, 0), list)
          FROM (SELECT usage_id, is_reversal, sum(amount_micro - package_micro - coalesce(
                         (SELECT sum(returned_micro) FROM package_uses AS use
                           WHERE (use.usage_id, use.revision, use.is_reversal)
                                 = (charges.usage_id, charges.revision, charges.is_reversal)), 0)) OVER sooner AS money,
                       sum(credit_micro) OVER sooner AS credit, sum(share_micro) OVER sooner AS share,
                       sum(owner_micro) OVER sooner AS owner, sum(list_micro) OVER sooner AS list
                  FROM charges WHERE usage_id IN (SELECT usage_id FROM charges WHERE is_reversal)
                WINDOW sooner AS (PARTITION BY usage_id ORDER BY revision, is_reversal)) AS until
         WHERE is_reversal AND (money, credit, share, owner, list) <> (0, 0, 0, 0, 0)
    """,
    "a reversal gives packages and credits back what they gave": """
        SELECT back.usage_id::text, sum(use.units) FROM charges AS back
          JOIN package_uses AS use ON use.usage_id = back.usage_id AND use.revision <= back.revision
         WHERE back.is_reversal GROUP BY back.usage_id, back.revision, use.package_id HAVING sum(use.units) <> 0
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
    "a charge at a price with tiers begins where its month's volume was": """
        WITH said AS (
          SELECT charge.usage_id, charge.is_reversal, charge.volume_micro AS starts, charge.list_micro AS more,
                 charge.price_version_id AS price, charge.volume_month AS month,
                 coalesce('organisation:' || price.organisation_id, 'project:' || charge.project_id) AS payer
            FROM charges AS charge JOIN price_versions AS price ON price.id = charge.price_version_id
           WHERE charge.volume_month IS NOT NULL),
        whole AS (
          SELECT payer, price, month, sum(more) AS volume, sum(greatest(more, 0)) AS most,
                 bool_or(is_reversal) AS is_reversed FROM said GROUP BY 1, 2, 3),
        points AS (
          SELECT payer, price, month, starts AS at, 1 AS begun FROM said
           UNION ALL SELECT payer, price, month, starts + more, -1 FROM said
           UNION ALL SELECT payer, price, month, 0, -1 FROM whole
           UNION ALL SELECT payer, price, month, volume, 1 FROM whole),
        alone AS (SELECT payer, price, month, at FROM points GROUP BY 1, 2, 3, 4 HAVING sum(begun) > 0)
        SELECT said.usage_id::text, said.starts - whole.volume + said.more
          FROM said JOIN whole USING (payer, price, month)
         WHERE CASE WHEN whole.is_reversed THEN NOT said.starts + greatest(said.more, 0) BETWEEN 0 AND whole.most
                    ELSE (payer, price, month, said.starts) IN (SELECT * FROM alone) END
    """,
    "every charging entry has its charge": """
        SELECT entry.key, 1 FROM ledger_entries AS entry
         WHERE entry.kind = 'charge' AND NOT EXISTS (SELECT 1 FROM charges WHERE charges.entry_id = entry.id)
    """,
}

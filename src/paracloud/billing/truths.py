"""What must be true of the ledger, of holds, packages and settlements: each by its name, with a query for where it is
not and by how much."""

from collections.abc import Mapping

TRUTHS: Mapping[str, str] = {
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
}

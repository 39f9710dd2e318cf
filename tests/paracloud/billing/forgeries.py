"""What whoever can run SQL of his own would try on the ledger: statements, and the reason for which each is refused."""

# ruff: noqa: S608  # forged SQL is the point

ID, OTHER = "'00000000-0000-7000-8000-000000000001'", "'00000000-0000-7000-8000-000000000002'"
ENTRY = f"INSERT INTO ledger_entries (id, key, kind, created_at) VALUES ({ID}, 'forged', 'top-up', now())"
WALLET = "SELECT id FROM ledger_accounts WHERE code LIKE 'wallet:%'"
REVENUE = "SELECT id FROM ledger_accounts WHERE code = 'revenue:general'"
HELD = "SELECT id FROM ledger_accounts WHERE code LIKE 'held:%'"
DOLLARS = "INSERT INTO ledger_accounts (code, currency, balance_micro) VALUES ('revenue:us', 'USD', 0)"
TWO_MORE = (
    "INSERT INTO ledger_accounts (code, currency, balance_micro) VALUES ('wallet:x', 'CNY', 0), ('revenue:x', 'CNY', 0)"
)


def posting(account: str, micro: str, entry: str = ID) -> str:
    return f"INSERT INTO ledger_postings SELECT {entry}, ({account}), {micro}"


def both(micro: str, entry: str = ID) -> str:
    return f"INSERT INTO ledger_postings VALUES ({entry}, ({WALLET}), {micro}), ({entry}, ({REVENUE}), -({micro}))"


def charge_again(changes: str) -> str:
    return (
        "INSERT INTO charges SELECT (jsonb_populate_record(NULL::charges, to_jsonb(one) || "
        f"'{changes}')).* FROM charges AS one WHERE period = '2026-06-01' LIMIT 1"
    )


UNBALANCED = {
    "an amount from nowhere": ([ENTRY, posting(WALLET, "5")], "must sum to zero"),
    "an amount that is lost on its way": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, ({WALLET}), 5), ({ID}, ({REVENUE}), -4)"],
        "must sum to zero",
    ),
    "one currency for another": (
        [DOLLARS, ENTRY, f"INSERT INTO ledger_postings SELECT {ID}, id, CASE currency WHEN 'USD' THEN -5 ELSE 5 END "
         "FROM ledger_accounts WHERE code = 'revenue:us' OR code LIKE 'wallet:%'"],
        "must sum to zero",
    ),
    "one half now, the other later": ([ENTRY, posting(WALLET, "5"), posting(REVENUE, "-5")], "must sum to zero"),
    "more for an entry that was posted": (
        [TWO_MORE, "INSERT INTO ledger_postings SELECT (SELECT id FROM ledger_entries WHERE kind = 'top-up'), id, "
         "CASE code WHEN 'wallet:x' THEN 5 ELSE -5 END FROM ledger_accounts WHERE code IN ('wallet:x', 'revenue:x')"],
        "an entry is posted whole",
    ),
    "more for an entry of this transaction": (
        [ENTRY, both("5"), DOLLARS.replace("USD", "CNY"),
         f"INSERT INTO ledger_postings VALUES ({ID}, (SELECT id FROM ledger_accounts WHERE code = 'revenue:us'), 5), "
         f"({ID}, ({HELD}), -5)"],
        "an entry is posted whole",
    ),
    "a key that is taken and posts nothing": ([ENTRY], "posted in its own transaction"),
    "a posting of nothing": ([ENTRY, posting(WALLET, "0")], "ck_ledger_postings_not_zero"),
    "a posting without an entry": ([both("5")], "a posting has an entry"),
    "a posting to no account": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, 0, 5), ({ID}, ({WALLET}), -5)"], "must sum to zero",
    ),
    "a posting to no account beside a whole entry": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, 0, 9), ({ID}, ({WALLET}), 5), ({ID}, ({REVENUE}), -5)"],
        "a posting has an account",
    ),
    "more than is held": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, ({HELD}), -9999999999), ({ID}, ({WALLET}), 9999999999)"],
        "ck_ledger_accounts_held",
    ),
    "an account that is born rich": (
        ["INSERT INTO ledger_accounts (code, currency, balance_micro) VALUES ('wallet:x', 'CNY', 5)"],
        "a balance is the sum of its postings",
    ),
    "an account's number": (["UPDATE ledger_accounts SET id = DEFAULT"], "a balance is the sum of its postings"),
}  # fmt: skip
TWICE = {
    "the same key": (
        [f"INSERT INTO ledger_entries SELECT {ID}, key, kind, reference, reason, person, created_at "
         "FROM ledger_entries LIMIT 1", both("5")],
        "uq_ledger_entries_key",
    ),
    "the same posting": (["INSERT INTO ledger_postings SELECT * FROM ledger_postings"], "pk_ledger_postings"),
    "the same charge": (["INSERT INTO charges SELECT * FROM charges"], "pk_charges"),
    "the same usage": (
        ["INSERT INTO usage SELECT (jsonb_populate_record(NULL::usage, to_jsonb(one) || "
         f"jsonb_build_object('id', {ID}))).* FROM usage AS one LIMIT 1"],
        "uq_usage_centre_record_id_submitted_at_restart_count",
    ),
    "the same hold": (["INSERT INTO holds SELECT * FROM holds"], "pk_holds"),
    "the same word on a usage": (["INSERT INTO usage_decisions SELECT * FROM usage_decisions"], "pk_usage_decisions"),
    "the same hours of a package": (["INSERT INTO package_uses SELECT * FROM package_uses"], "pk_package_uses"),
}  # fmt: skip
NOBODY = OTHER.strip("'")
NOWHERE = {
    f"a charge of {what}": (
        [ENTRY, both("5"), charge_again(f'{{"revision": 9, "period": "2026-07-01", "{column}": "{NOBODY}"}}')],
        f"a charge has {what}",
    )
    for column, what in {
        "usage_id": "a usage",
        "project_id": "a project",
        "price_version_id": "a price",
        "contract_id": "a contract",
        "entry_id": "an entry that is there",
    }.items()
}
MONTHS = {
    "a charge in a closed month": ([charge_again('{"revision": 9}')], "this billing period is closed"),
    "a charge in a month that never was": (
        [charge_again('{"revision": 9, "period": "2026-01-01"}')], "this billing period is closed",
    ),
    "a month before a closed one": (
        ["INSERT INTO billing_periods (period) VALUES ('2026-05-01')"], "a later billing period is closed",
    ),
    "a month opened again": (
        ["UPDATE billing_periods SET closed_at = NULL, closed_by = NULL"], "a closed billing period stays closed",
    ),
    "another person who closed it": (
        ["UPDATE billing_periods SET closed_by = 'nobody' WHERE closed_at IS NOT NULL"], "stays closed",
    ),
    "a month that is none": (
        ["INSERT INTO billing_periods (period) VALUES ('2026-09-02')"], "ck_billing_periods_month",
    ),
}  # fmt: skip
FIGURES = {
    "a balance": (["UPDATE ledger_accounts SET balance_micro = 5"], "permission denied for table ledger_accounts"),
    "a balance, by itself": (["UPDATE ledger_accounts SET balance_micro = balance_micro"], "permission denied"),
    "a balance, in a block": (
        ["DO $$ BEGIN UPDATE ledger_accounts SET balance_micro = 5; END $$"],
        "permission denied",
    ),
    "an account's owner": (["UPDATE ledger_accounts SET code = 'wallet:x'"], "permission denied"),
    "a hold's amount": (["UPDATE holds SET amount_micro = 0"], "a hold only gives"),
    "a hold's ceiling": (["UPDATE holds SET ceiling_micro = 0"], "a hold only gives"),
    "more than a hold has": (
        ["UPDATE holds SET captured_micro = amount_micro + 1 WHERE released_at IS NULL"],
        "ck_holds_within",
    ),
    "less than a hold gave": (["UPDATE holds SET captured_micro = 0 WHERE captured_micro > 0"], "a hold only gives"),
    "a hold released again": (
        ["UPDATE holds SET released_at = NULL WHERE released_at IS NOT NULL"],
        "released once",
    ),
    "a price": (["UPDATE price_versions SET core_hour = 0"], "permission denied for table price_versions"),
    "a price's beginning": (["UPDATE price_versions SET valid_from = now()"], "permission denied"),
    "two prices at once": (
        [
            f"INSERT INTO price_versions SELECT (jsonb_populate_record(NULL::price_versions, to_jsonb(one) || "
            f"jsonb_build_object('id', {ID}))).* FROM price_versions AS one"
        ],
        "two versions in price_versions would hold at the same time",
    ),
    "a centre's share": (["UPDATE contracts SET share_basis_points = 0"], "permission denied for table contracts"),
    "a package's size": (["UPDATE packages SET total = total * 2"], "permission denied for table packages"),
    "a package's price": (["UPDATE packages SET price_micro = 0"], "permission denied for table packages"),
    "more than a package has": (["UPDATE packages SET used = total + 1"], "ck_packages_within"),
    "whose usage it is": (["UPDATE usage SET project_id = gen_random_uuid()"], "permission denied for table usage"),
    "what was used, without a revision": (["UPDATE usage SET cores = 1"], "only the figures of a usage change"),
    "usage that waits for its price": (["DELETE FROM unrated_usage"], "waits for its price until it is charged"),
    "usage that waits, for a word that it has a price": (
        [
            "INSERT INTO usage_decisions SELECT usage_id, revision, (SELECT id FROM price_versions LIMIT 1), false, "
            "'x', 'op', now() FROM unrated_usage",
            "DELETE FROM unrated_usage",
        ],
        "waits for its price until it is charged",
    ),
    "a word without a reason": (
        ["INSERT INTO usage_decisions SELECT id, revision, NULL, false, ' ', 'op', now() FROM usage"],
        "ck_usage_decisions_reason",
    ),
    "a word about nothing": (
        [f"INSERT INTO usage_decisions VALUES ({ID}, 1, NULL, false, 'x', 'op', now())"],
        "fk_usage_decisions_usage_id",
    ),
    "a package that ended, back again": (
        ["UPDATE packages SET closed_at = NULL WHERE closed_at IS NOT NULL"],
        "a package is used, reserved and closed",
    ),
    "a second end of a package": (
        ["INSERT INTO package_ends SELECT * FROM package_ends"],
        "pk_package_ends",
    ),
    "who may do what": (["UPDATE users SET is_operator = true"], "permission denied for table users"),
    "which migrations were made": (["DELETE FROM alembic_version"], "permission denied for table alembic_version"),
}
SETTLED = {
    "a payment taken back": (
        ["UPDATE settlements SET state = 'confirmed', payment = NULL, paid_at = NULL"], "stated to a centre stays",
    ),
    "another transfer": (["UPDATE settlements SET payment = 'T-2'"], "what was stated to a centre stays"),
    "a share of a month": (["UPDATE settlements SET share_micro = 0"], "permission denied for table settlements"),
    "another answer": (["UPDATE disputes SET answer = 'other', adjusted_micro = 9"], "answered once, and stays"),
    "an answer taken back": (
        ["UPDATE disputes SET answer = NULL, answered_by = NULL, answered_at = NULL"], "answered once, and stays",
    ),
    "the same month twice": (
        [f"INSERT INTO settlements SELECT (jsonb_populate_record(NULL::settlements, to_jsonb(one) || "
         f"jsonb_build_object('id', {ID}, 'payment', 'T-2'))).* FROM settlements AS one"],
        "uq_settlements_centre",
    ),
    "the same transfer twice": (
        [f"INSERT INTO settlements SELECT (jsonb_populate_record(NULL::settlements, to_jsonb(one) || "
         f"jsonb_build_object('id', {ID}, 'period', '2026-07-01'))).* FROM settlements AS one"],
        "uq_settlements_payment",
    ),
}  # fmt: skip

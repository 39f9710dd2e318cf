"""What the application's role may do with each table, and nothing more: every table is named here, with what changes.

The application may read and add to all of them. What it may not do is the point: no word of it changes or takes away
what is append-only, owns a table, empties one, or lifts a trigger.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """SELECT and INSERT always. `update`: the columns that change (who may change none may not lock a row either).
    `may_delete`: rows are taken away."""

    update: tuple[str, ...] = ()
    may_delete: bool = False


def changing(*columns: str, may_delete: bool = False) -> Grant:
    """`columns`: names, parted by spaces."""
    return Grant(tuple(" ".join(columns).split()), may_delete=may_delete)


ADDED = Grant()
"""Append-only."""

GRANTS: Mapping[str, Grant] = {
    "organisations": ADDED,
    "projects": changing("product_line"),
    "product_line_changes": ADDED,
    "project_residency": changing("regions changed_at changed_by"),
    "users": ADDED,
    "members": changing("role"),
    "tokens": changing("revoked_at"),
    "idempotency_keys": changing("answer"),
    "blobs": ADDED,
    "project_blobs": ADDED,
    "centres": changing(  # the database keeps its scheduler and its service account as they are when it is connected
        "title_en title_zh host port host_key dialect service_account commands_per_minute patience_seconds",
        "overrun_seconds region is_enabled connected_at",
    ),
    "centre_changes": ADDED,
    "centre_accounts": changing("project_id assigned_at"),
    "centre_health": changing(
        "checked_at failures failing_since error_en error_zh good_rounds good_since sick_since recovered_at relapses"
    ),
    "centre_provisions": changing("applications licences trust bytes_per_second changed_at changed_by"),
    "centre_leases": changing("holder fence expires_at"),
    "queues": changing(may_delete=True),
    "usage": changing(
        "revision native_id task_index name queue qos phase native_state exit_code exit_signal started_at ended_at",
        "elapsed_seconds cores nodes gpus memory_bytes node_list resources unsaid",
    ),
    "usage_revisions": ADDED,
    "usage_strangers": changing("records raw seen_at"),
    "price_versions": changing("valid_to ended_by"),
    "contracts": changing("valid_to ended_by"),
    "dedications": changing("valid_to ended_by"),
    "budgets": changing("valid_to ended_by"),
    "funding": changing(
        "project_id credit_line_micro currency hold_seconds warn_micro checkpoint_signal grace_seconds"
    ),
    "ledger_accounts": changing("id"),  # to lock; nobody can set it, and balances are the trigger's alone
    "ledger_entries": ADDED,
    "ledger_postings": ADDED,
    "holds": changing("ceiling_micro amount_micro captured_micro released_at"),
    "hold_extensions": ADDED,
    "billing_periods": changing("closed_at closed_by"),
    "charges": ADDED,
    "volumes": changing("list_micro"),
    "centre_people": changing(may_delete=True),
    "settlements": changing("state adjusted_micro confirmed_by confirmed_at paid_by paid_at payment"),
    "settlement_contracts": ADDED,
    "disputes": changing("adjusted_micro answer answered_by answered_at"),
    "receipts": ADDED,
    "receipt_chains": ADDED,
    "receipts_due": changing(may_delete=True),
    "receipt_keys": ADDED,
    "unrated_usage": changing(may_delete=True),
    "usage_decisions": ADDED,
    "packages": changing("used reserved closed_at"),
    "package_ends": ADDED,
    "fee_reversals": ADDED,
    "package_reservations": changing("units"),
    "package_uses": ADDED,
    "notices": ADDED,
    "wallet_marks": changing("is_below"),
    "budget_marks": ADDED,
    "reconciliations": ADDED,
    "mismatches": ADDED,
    "imports": changing(
        "lines records done new corrected known unrated faults left_out unmapped state reason_en reason_zh ended_at",
        "crashes claim claimed_until earliest latest reconciled_at",
    ),
    "import_faults": ADDED,
    "jobs": changing(
        "tasks_ended held_micro charged_micro state native_id native_state reason node_list starts_held wish tries",
        "exit_code exit_signal retry_at submitted_at started_at absent_since ended_at moves moved_at movable kept",
        "cores_taken",
        "centre account queue price_version_id why_en why_zh",  # of a job that moves
    ),
    "job_moves": changing("step changed_at to_account to_price_version_id ended_at end_en end_zh gone_id remains"),
    "gone_centres": ADDED,
    "job_funds": changing("held_seconds running_since warned_at signalled_at stop_at stopping_at"),
    "job_forecasts": ADDED,
    "wait_features": ADDED,
    "wait_trainings": ADDED,
    "wait_models": ADDED,
    "job_dependencies": ADDED,
    "job_tasks": changing(
        "record_id restart_count state native_state exit_code exit_signal submitted_at started_at ended_at",
        "elapsed_seconds core_seconds node_list",
    ),
    "job_events": ADDED,
    "accounting_windows": changing("read_until"),
}


def statements(role: str, schema: str, database: str) -> list[str]:
    """Take all away, give what is declared. The names are quoted as SQL wants them."""
    taken = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        f"REVOKE ALL ON SCHEMA {schema} FROM {role}",
        f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC",
        f"REVOKE ALL ON DATABASE {database} FROM {role}",
    ]
    given = [f"GRANT CONNECT ON DATABASE {database} TO {role}", f"GRANT USAGE ON SCHEMA {schema} TO {role}"]
    for table, grant in GRANTS.items():
        words = ["SELECT", "INSERT", *(["DELETE"] if grant.may_delete else [])]
        words += [f"UPDATE ({', '.join(grant.update)})"] if grant.update else []
        given.append(f"GRANT {', '.join(words)} ON {schema}.{table} TO {role}")
    return [*taken, *given]

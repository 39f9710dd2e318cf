"""Double entry in memory: entries by key, balances by account, holds by reference."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.simulation.rows import Terms

from paracloud.billing.entry import CASH, DUPLICATES, Entry, held, payable, revenue, wallet
from paracloud.billing.rate import Charge, rate
from paracloud.billing.store_holds import Hold
from paracloud.dialects.records import ENDED_PHASES
from paracloud.kit.identifiers import ProjectId, UsageId
from paracloud.metering.usage import Usage

CURRENCY = "CNY"


@dataclass(slots=True)
class MemoryLedger:
    """`charged` is what each usage has cost so far: a correction posts the difference to it. What ended
    nobody knows how is not charged."""

    balances: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    entries: dict[str, Entry] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    charged: dict[UsageId, Charge] = field(default_factory=dict)

    def top_up(self, project: ProjectId, micro: int) -> None:
        self._post(Entry(f"top-up:{project}", "top-up", CURRENCY, {CASH: -micro, wallet(project): micro}))

    def hold(self, project: ProjectId, reference: str, micro: int) -> None:
        if reference in self.holds:
            return
        self.holds[reference] = Hold(project, micro, 0, CURRENCY, is_released=False)
        postings = {wallet(project): -micro, held(project): micro}
        self._post(Entry(f"hold:{reference}", "hold", CURRENCY, postings, reference=reference))

    def enlarge(self, reference: str, micro: int, key: str) -> None:
        """A hold of which nothing is captured, to this amount at least."""
        found = self.holds[reference]
        assert not found.is_released
        assert not found.captured_micro
        more = max(micro - found.amount_micro, 0)
        self.holds[reference] = replace(found, amount_micro=found.amount_micro + more)
        postings = {wallet(found.project): -more, held(found.project): more}
        self._post(Entry(f"hold:{reference}:{key}", "hold", CURRENCY, postings, reference=reference))

    def release(self, references: Sequence[str]) -> None:
        for reference in references:
            found = self.holds.get(reference)
            if found is None or found.is_released:
                continue
            rest = found.amount_micro - found.captured_micro
            self.holds[reference] = replace(found, is_released=True)
            postings = {held(found.project): -rest, wallet(found.project): rest}
            self._post(Entry(f"release:{reference}", "release", CURRENCY, postings, reference=reference))

    def charge(self, usages: Sequence[Usage], terms: Terms) -> None:
        for usage in usages:
            key = f"charge:{usage.id}:{usage.revision}"
            if key in self.entries or usage.phase not in ENDED_PHASES:
                continue
            whole = rate(usage.core_seconds, usage.gpu_seconds, terms.price, terms.share_basis_points)
            before = self.charged.get(usage.id)
            amount = whole.amount.micro - (before.amount.micro if before else 0)
            share = whole.share.micro - (before.share.micro if before else 0)
            self.charged[usage.id] = whole
            postings = self._postings(usage, amount, share, terms.price.product_line)
            self._post(Entry(key, "charge", CURRENCY, postings, reference=usage.reference))

    def sum_micro(self) -> int:
        return sum(micro for entry in self.entries.values() for micro in entry.postings.values())

    def _postings(self, usage: Usage, amount: int, share: int, line: str) -> dict[str, int]:
        if usage.is_duplicate:
            return {DUPLICATES: -share, payable(usage.key.centre): share}
        captured = self._capture(usage, amount)
        return {
            held(usage.project): -captured,
            wallet(usage.project): captured - amount,
            payable(usage.key.centre): share,
            revenue(line): amount - share,
        }

    def _capture(self, usage: Usage, amount: int) -> int:
        found = self.holds.get(usage.reference) if usage.reference is not None else None
        if found is None or found.is_released or amount <= 0:
            return 0
        captured = min(amount, found.amount_micro - found.captured_micro)
        self.holds[usage.reference or ""] = replace(found, captured_micro=found.captured_micro + captured)
        return captured

    def _post(self, entry: Entry) -> None:
        assert entry.key not in self.entries
        self.entries[entry.key] = entry
        for code, micro in entry.postings.items():
            self.balances[code] += micro

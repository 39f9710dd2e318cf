"""What a log holds, as its check counts it."""

from collections import Counter
from dataclasses import dataclass, field

from paracloud.history.imported import OTHERS

MOST_NAMES = 1000


@dataclass(slots=True)
class Sums:
    """What the file holds."""

    lines: int = 0
    records: int = 0
    faults: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    """Records by name, and their core-seconds."""
    unmapped_core_seconds: Counter[str] = field(default_factory=Counter)

    def named(self) -> dict[str, tuple[int, int]]:
        """Those that used most; the others together, so that no record is left out without a word."""
        names = [name for name, _ in self.unmapped_core_seconds.most_common()]
        found = {name: (self.unmapped[name], self.unmapped_core_seconds[name]) for name in names[:MOST_NAMES]}
        if others := names[MOST_NAMES:]:
            both = self.unmapped, self.unmapped_core_seconds
            records, seconds = (sum(counts[name] for name in others) for counts in both)
            found[OTHERS] = records, seconds
        return found

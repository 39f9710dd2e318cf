"""What an execution had beside cores, nodes, memory and whole GPUs: licences, GPU slices, whatever else a centre
counts, by the names that charging rules know them under."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

LICENCE, SLICES, OTHER = "licence.", "gpu_slices.", "resource."
FAMILIES = (LICENCE, SLICES, OTHER)
"""What an accounting that tells of them at all lists whole: what it does not list was not had."""
NAME_LIMIT = 80
NOTHING: Mapping[str, int] = MappingProxyType({})
_UNFIT = re.compile(r"[^A-Za-z0-9_.:/-]")
_SLICE = re.compile(r"(?<![0-9a-z])\d{1,2}g\.\d{1,4}gb(?![0-9a-z])", re.IGNORECASE | re.ASCII)


def named(family: str, name: str) -> str:
    """The name in its family, with what no rule can write as `_`, and not longer than a rule can write it: never left
    out."""
    return family + (_UNFIT.sub("_", name[:NAME_LIMIT]) or "_")


def is_slice(model: str) -> bool:
    """Whether a GPU model is a part of a card, by NVIDIA's names of MIG profiles: 1g.5gb, a100_3g.20gb, 1g.10gb+me
    (MIG User Guide, Supported MIG Profiles)."""
    return _SLICE.search(model) is not None


def together(counts: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    """Sums by name, in the order of the names, for nobody to change; what there was none of is left out."""
    sums: dict[str, int] = {}
    for name, count in counts:
        sums[name] = sums.get(name, 0) + count
    return frozen({name: count for name, count in sums.items() if count})


def frozen(counts: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(dict(sorted(counts.items()))) if counts else NOTHING


def had(counts: Mapping[str, int]) -> dict[str, int]:
    """What there was any of, to be shown or signed."""
    return {name: count for name, count in counts.items() if count}

"""Slurm's TRESBillingWeights as a charging rule's expression. Pure."""

import re

from paracloud.billing.fields import DECIMALS, a_decimal, invalid
from paracloud.billing.rule import Expression, Sum, Truncated, Weighted
from paracloud.billing.rule_text import a_resource

_PLAIN = {"cpu": "cores", "node": "nodes", "gres/gpu": "gpus"}
_MEMORY = {"": 1 << 20, "K": 1 << 20, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}
"""Bytes that a weight is for. Slurm 22.05 counts memory by MiB and converts only to what is larger: a weight with K is
one for a MiB, too (measured: slurm_get_convert_unit_val is 0 for K and M, and _tres_weight_item then divides by
nothing)."""
_WEIGHT = re.compile(rf"([0-9]{{0,9}}(?:\.[0-9]{{1,{DECIMALS}}})?)([KMGTPkmgtp]?)")
_MOST = 60
"""So that the rule that it becomes can be stored."""


def slurm_weights(text: str) -> Expression:
    """TRESBillingWeights of a partition, such as CPU=1.0,Mem=0.25G,GRES/gpu=2.0,license/licA=1.5 (man slurm.conf): a
    sum, cut to a whole number. Invalid for what it cannot read or we do not meter, a negative weight, and a resource
    that is written twice (Slurm would take the last). Not for a site with PriorityFlags=MAX_TRES."""
    if text.count(",") >= _MOST:
        raise invalid("weights", f"at most {_MOST} weights", f"最多 {_MOST} 个权重")
    parts = tuple(_part(item.strip()) for item in text.split(","))
    names = [part.resource for part in parts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise invalid("weights", f"{twice[0]} has two weights", f"{twice[0]} 有两个权重")
    return Truncated(Sum(parts))


def _part(item: str) -> Weighted:
    name, equals, weight = (one.strip() for one in item.partition("="))
    found = _WEIGHT.fullmatch(weight)
    is_memory = name.lower() == "mem"
    if not equals or found is None or not found[1] or (found[2] and not is_memory):
        raise invalid("weights", f"{item[:80]!r} is no weight", f"{item[:80]!r} 不是有效的权重")
    number = a_decimal(f"0{found[1]}", "weights")
    return Weighted("memory_bytes", number, _MEMORY[found[2].upper()]) if is_memory else Weighted(_named(name), number)


def _named(name: str) -> str:
    kind, _, rest = name.partition("/")
    if kind.lower() == "license":
        return a_resource(f"licence.{rest}", "weights")
    if name.lower() not in _PLAIN:
        raise invalid("weights", f"{name[:80]!r} is no resource that is metered", f"{name[:80]!r} 不是可计量的资源")
    return _PLAIN[name.lower()]

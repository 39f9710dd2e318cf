"""What accounting says was allocated (AllocTRES), as figures and named resources. One reading for sacct's answers and
for its old logs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paracloud.dialects.resources import LICENCE, NOTHING, OTHER, SLICES, is_slice, named, together
from paracloud.dialects.slurm.text import number, resources, size_bytes
from paracloud.dialects.text import count

FIGURES = frozenset({"cpu", "mem", "node"})
"""Each has a field of its own."""
MEASURED = frozenset(
    {
        *("billing", "energy", "pages", "vmem", "fs/disk", "fs/lustre", "ic/ofed", "ic/sysfs"),
        *("gres/gpumem", "gres/gpuutil"),
    }
)
"""Nobody is given these to himself: `billing` is the site's own sum of what the others say, the rest is what plugins
measured while the job ran (man slurm.conf, AccountingStorageTRES). They are dropped on purpose, and nothing else is."""
UNTOLD = frozenset({"gpus", "memory_bytes", "resources"})
_ELSEWHERE = FIGURES | MEASURED


@dataclass(frozen=True, slots=True)
class Allocated:
    """`gpus` are whole cards: slices are named in `resources`."""

    gpus: int
    memory_bytes: int
    resources: Mapping[str, int]
    unsaid: frozenset[str] = frozenset()


UNALLOCATED = Allocated(0, 0, NOTHING)


def allocated(text: str) -> Allocated:
    """ValueError for what is not understood. Slurm counts a slice (MIG) as a GPU; here it is none.

    license/NAME and license/NAME@SERVER are `licence.NAME`, of all servers together: a rule prices the software.
    gres/gpu:TYPE of a slice is `gpu_slices.TYPE`; gres/NAME, or the sum over its types where the centre tracks only
    those, `resource.NAME`; bb/NAME `resource.bb/NAME`, in bytes; and whatever else `resource.TYPE/NAME`, so that what
    nobody has thought of is told, and not free. An empty text tells nothing: all of it is unsaid."""
    found = resources(text)
    if not found:
        return Allocated(0, 0, NOTHING, UNTOLD)
    return Allocated(
        gpus=_gpus(found),
        memory_bytes=size_bytes(found["mem"]) if "mem" in found else 0,
        resources=together(_named(found)),
    )


def _gpus(found: Mapping[str, str]) -> int:
    """The plain count where the centre tracks it, else the sum over the models; less the slices among them, and not
    less then than the whole cards that are named."""
    models = {name.partition(":")[2]: count(value) for name, value in found.items() if name.startswith("gres/gpu:")}
    total = count(found["gres/gpu"]) if "gres/gpu" in found else sum(models.values())
    slices = sum(many for model, many in models.items() if is_slice(model))
    return max(total - slices, sum(models.values()) - slices) if slices else total


def _named(found: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for name, value in found.items():
        kind, _, rest = name.partition("/")
        what, _, type_ = rest.partition(":")
        if name in _ELSEWHERE:
            continue
        if kind == "license":
            yield named(LICENCE, rest.partition("@")[0]), number(value)
        elif kind == "gres" and what == "gpu":
            if is_slice(type_):
                yield named(SLICES, type_), number(value)
        elif kind == "gres":
            if not type_ or f"gres/{what}" not in found:
                yield named(OTHER, what), number(value)
        else:
            yield named(OTHER, name), size_bytes(value) if kind == "bb" else number(value)

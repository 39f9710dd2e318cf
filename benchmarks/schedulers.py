"""`./run bench schedulers --data FOLDER`: other projects' samples of schedulers' output, read by our own readers.

FOLDER holds the samples with the values that each project's tests assert. Each sample is brought to the columns that we
ask a scheduler for where that project asks for others; texts, states and times stay as they are. Counted are samples
that are read as asserted, that are not (with why), and those of things that we have no reader for.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.parts import samples_accounting, samples_gridengine, samples_pbs, samples_slurm
from benchmarks.parts.samples import Sample

SOURCES: tuple[Callable[[Path], Iterator[Sample]], ...] = (
    samples_slurm.samples,
    samples_gridengine.samples,
    samples_pbs.samples,
    samples_accounting.samples,
)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="run bench schedulers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args(arguments)
    found = [sample for source in SOURCES for sample in source(asked.data)]
    read = [one for one in found if one.has_reader]
    figures = {
        "samples": len(read),
        "as_asserted": sum(not one.why for one in read),
        "by": {
            place: {"samples": many, "as_asserted": sum(one.place == place and not one.why for one in read)}
            for place, many in sorted(Counter(one.place for one in read).items())
        },
        "not": [{"sample": f"{one.place}: {one.name}", "why": one.why} for one in read if one.why],
        "no_reader": dict(sorted(Counter(one.place for one in found if not one.has_reader).items())),
    }
    print(json.dumps({"bench": "schedulers"} | figures, ensure_ascii=False), flush=True)
    return 0

"""`./run bench NAME [options]`: `benchmarks/NAME.py` prints one JSON line, its peers measured in the same run."""

import importlib
import pkgutil
import sys

import benchmarks

NOT_A_BENCHMARK = {"__main__", "sizes"}


def main() -> int:
    names = sorted(
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name not in NOT_A_BENCHMARK and not module.ispkg and not module.name.startswith("_")
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"Name a benchmark / 请指定基准测试: {' '.join(names)}", file=sys.stderr)
        return 2
    name = sys.argv[1]
    return int(importlib.import_module(f"benchmarks.{name}").main(sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())

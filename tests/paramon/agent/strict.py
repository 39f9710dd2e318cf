"""The text format of OpenMetrics 1.0, read as strictly as its specification says
(github.com/prometheus/OpenMetrics, "ABNF" and "Overall Structure"): ValueError for anything else."""

import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)", re.DOTALL)
ABOUT = re.compile(rf"# (HELP|TYPE|UNIT) ({NAME}) (.+)")
SUFFIX = {"counter": "_total", "gauge": "", "info": "_info"}
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass
class Read:
    kind: str = ""
    unit: str = ""
    help: str = ""
    samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)


def read(text: str) -> dict[str, Read]:
    """By family."""
    if not text.endswith("# EOF\n") or "\r" in text:
        raise ValueError("no end")
    found: dict[str, Read] = {}
    current = ""
    for line in text[: -len("# EOF\n")].split("\n")[:-1]:
        about = ABOUT.fullmatch(line)
        if about is not None:
            current = _about(found, current, *about.groups())
            continue
        sample = SAMPLE.fullmatch(line)
        if sample is None or not current:
            raise ValueError(line)
        name, given, value = sample.groups()
        one = found[current]
        if name != current + SUFFIX[one.kind]:
            raise ValueError(f"{name} is no sample of {current}")
        labels = _labels(given)
        if labels in one.samples or (one.kind != "gauge" and float(value) < 0):
            raise ValueError(line)
        one.samples[labels] = float(value)
    for name, one in found.items():
        if one.kind not in SUFFIX or not one.samples or (one.unit and not name.endswith("_" + one.unit)):
            raise ValueError(name)
    return found


def value(found: dict[str, Read], family: str, **labels: str) -> float:
    """Of the one sample with these labels, and perhaps more."""
    (one,) = (number for given, number in found[family].samples.items() if labels.items() <= dict(given).items())
    return one


def _about(found: dict[str, Read], current: str, kind: str, name: str, told: str) -> str:
    if name != current:
        if name in found:
            raise ValueError(f"{name} is told of in two places")
        found[name] = Read()
    one, key = found[name], {"HELP": "help", "TYPE": "kind", "UNIT": "unit"}[kind]
    if getattr(one, key) or one.samples:
        raise ValueError(f"{kind} of {name} is twice there, or too late")
    setattr(one, key, told)
    return name


def _labels(given: str | None) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    found, at = [], 0
    while True:
        one = LABEL.match(given, at)
        if one is None or one[1] in dict(found):
            raise ValueError(given)
        found.append((one[1], re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], one[2])))
        at = one.end()
        if at == len(given):
            return tuple(sorted(found))
        if given[at] != ",":
            raise ValueError(given)
        at += 1

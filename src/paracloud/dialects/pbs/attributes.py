"""What qstat and pbsnodes print in full, as flat texts: `Resource_List.walltime` and the like, by the name of the job,
queue, node or server. ValueError for what is not understood.

OpenPBS prints JSON (19.1 and later, -F json), Torque XML (qstat -x, pbsnodes -x), and both the older lines of
`name = value`, in which a value may go on in the next line. A tenant's own texts (variables, names) are escaped in the
first two; not in the lines, where a variable that holds a line break looks like further lines: they are read only where
no tenant writes (queues, servers), and from old samples."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from xml.etree import ElementTree as ET

Attributes: TypeAlias = Mapping[str, str]
ENTRIES_MOST = 250_000
"""Ten of the largest queues there are; more would take the worker's memory and time at the centre's will."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_HEAD = re.compile(r"(?:Job Id|Queue|Server): ?(\S+)[ \t]*", re.ASCII)
_LINE = re.compile(r"(?: {2,4})([A-Za-z][A-Za-z0-9_.]*) = (.*)", re.ASCII)


def from_json(text: str, section: str) -> dict[str, dict[str, str]]:
    """`section` is Jobs, Queue, Server or nodes. A section that is not there is empty: qstat leaves it out where there
    is nothing to tell."""
    try:
        # Control characters inside texts are let through: older servers do not escape them. Numbers stay texts.
        found = json.loads(text, strict=False, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict) or not {"timestamp", "pbs_version"} & found.keys():
        raise ValueError("it does not look like an answer of PBS")
    entries = found.get(section, {})
    if not isinstance(entries, dict) or len(entries) > ENTRIES_MOST:
        raise ValueError(f"{section} is no list of as many as there can be")
    return {str(name): dict(_flat(about)) for name, about in entries.items()}


def version_in_json(text: str) -> str:
    return str(json.loads(text, strict=False).get("pbs_version", ""))


def from_xml(text: str, kind: str, name: str) -> dict[str, dict[str, str]]:
    """`kind` is Job or Node, `name` the element that names it. No answer of Torque declares anything, so nothing that
    could be expanded is read. It escapes what XML marks with, and leaves control characters as they are."""
    if "<!" in text or text.count(f"<{kind}>") > ENTRIES_MOST:
        raise ValueError("it declares entities, or is longer than any list")
    if not text.strip():
        return {}
    try:
        root = ET.fromstring(_CONTROL.sub(" ", text.strip()))  # noqa: S314
    except ET.ParseError as error:
        raise ValueError(f"it is no XML: {error}") from None
    if root.tag != "Data":
        raise ValueError("it does not look like an answer of Torque")
    found: dict[str, dict[str, str]] = {}
    for one in root.findall(kind):
        attributes = dict(_of_element(one))
        found[attributes[name]] = attributes
    return found


def from_lines(text: str) -> dict[str, dict[str, str]]:
    """Of `qstat -f`, `qstat -Q -f` or `qstat -B -f`."""
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    last = ""
    for line in text.split("\n"):
        if head := _HEAD.fullmatch(line):
            current = found.setdefault(head[1], {})
            last = ""
        elif current is not None and (pair := _LINE.fullmatch(line)):
            last = pair[1]
            current[last] = pair[2]
        elif current is not None and last and line.strip():
            current[last] += _continued(line)
        elif line.strip():
            raise ValueError(f"{line[:60]!r} belongs to nothing")
    return found


def _continued(line: str) -> str:
    """Folded with a tab, which may have been expanded since; else the value itself holds a line break."""
    for fold in ("\t", "        "):
        if line.startswith(fold):
            return line.removeprefix(fold)
    return "\n" + line


def _flat(about: object) -> Iterator[tuple[str, str]]:
    if not isinstance(about, dict):
        raise ValueError("one of them is no list of attributes")
    for name, value in about.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", _text(inner)) for part, inner in value.items())
        else:
            yield str(name), _text(value)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(one for one in value if isinstance(one, str))
    return value if isinstance(value, str) else "" if value is None else str(value)


def _of_element(one: ET.Element) -> Iterator[tuple[str, str]]:
    for child in one:
        if len(child):
            yield from ((f"{child.tag}.{inner.tag}", inner.text or "") for inner in child)
        else:
            yield child.tag, child.text or ""

"""What a centre has and what of it is free: every queue on every host, from one qstat, and what hosts were given of
cards and memory, which qstat tells only as far as they are free."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from xml.etree.ElementTree import Element

from paracloud.dialects.answers import broken
from paracloud.dialects.gridengine.answers import GRID_ENGINE
from paracloud.dialects.gridengine.text import document, size_bytes
from paracloud.dialects.records import NodeInfo, QueueInfo
from paracloud.dialects.text import clock, count, printable
from paracloud.kit.command import Command, Completed

HOSTS_ASKED = 8
"""Hosts that are looked at, one for each queue that counts cards or memory: hosts of one queue are mostly alike."""
INSTANCES_MOST, QUEUES_MOST = 100_000, 1000
CORES_MOST = 1_000_000
COST = 1 + HOSTS_ASKED
_ALL = r"""
export LC_ALL=C
listed=$(qstat -f -xml -F) || exit
awk -F '[<>]' '$2 == "name" { split($3, at, "@") }
  $2 ~ /^resource name="(gpu|h_vmem)" type="hc"/ && !(at[1] in seen) { seen[at[1]]; print at[2] }' <<<"$listed" |
  sort -u | head -n "$2" | while read -r host; do qconf -se "$host" </dev/null | awk -v host="$host" -v nonce="$1" '
    { text = text $0; if (!sub(/\\$/, "", text)) { if (text ~ /^complex_values/) print nonce, host, text; text = "" } }'
  done
printf '%s\n%s\n' "$1" "$listed"
"""


@dataclass(frozen=True, slots=True)
class _Instance:
    """A queue on a host. `memory_bytes` and `gpus` are what the host was given where it was asked; elsewhere what is
    free of it, until the queue's other hosts tell more."""

    queue: str
    host: str
    state: str
    slots: int
    free_slots: int
    is_unused: bool
    """No slot of its host is in use."""
    memory_bytes: int
    has_cards: bool
    gpus: int
    free_gpus: int
    gpu_model: str | None
    max_wall: timedelta | None
    number: int
    """Queues are taken in the order of these (seq_no)."""


def queues(nonce: str) -> Command[Sequence[QueueInfo]]:
    argv = ("bash", "-c", _ALL, "paracloud-queues", nonce, str(HOSTS_ASKED))

    def parse(completed: Completed) -> Sequence[QueueInfo]:
        by_queue = defaultdict(list)
        for one in _instances(completed, nonce, argv):
            by_queue[one.queue].append(one)
        if len(by_queue) > QUEUES_MOST:
            raise broken(f"named more than {QUEUES_MOST} queues", f"队列超过 {QUEUES_MOST} 个", completed, argv)
        first = min((one.number for members in by_queue.values() for one in members), default=0)
        leading = [name for name, members in by_queue.items() if any(one.number == first for one in members)]
        return tuple(_queue(name, members, is_default=leading == [name]) for name, members in by_queue.items())

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=60), cost=COST)


def nodes(nonce: str) -> Command[Sequence[NodeInfo]]:
    argv = ("bash", "-c", _ALL, "paracloud-nodes", nonce, str(HOSTS_ASKED))

    def parse(completed: Completed) -> Sequence[NodeInfo]:
        by_host = defaultdict(list)
        for one in _instances(completed, nonce, argv):
            by_host[one.host].append(one)
        return tuple(_node(name, members) for name, members in by_host.items())

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=60), cost=COST)


def ping() -> Command[str]:
    """qstat's first line of help names its version; that sge_qmaster answers, only a question can show."""
    argv = ("bash", "-c", "export LC_ALL=C; qconf -sss && qconf -help | head -n 1", "paracloud-ping")

    def parse(completed: Completed) -> str:
        lines = [line.strip() for line in GRID_ENGINE.output_of(completed, argv).splitlines() if line.strip()]
        if not lines or not any(c.isdigit() for c in lines[-1]):
            raise broken("named no version", "没有给出版本", completed, argv)
        return f"Grid Engine {printable(lines[-1].rpartition(' ')[2], 40)}"

    return Command(argv=argv, parse=parse)


def _instances(completed: Completed, nonce: str, argv: Sequence[str]) -> list[_Instance]:
    text = GRID_ENGINE.output_of(completed, argv)
    root = document(text, nonce, completed, argv)
    try:
        given = _given(text, nonce)
        rows = root.findall("queue_info/Queue-List")
        if len(rows) > INSTANCES_MOST:
            raise ValueError(f"more than {INSTANCES_MOST} queues on hosts")
        found = [_instance(row, given) for row in rows]
        asked = {one.queue: one for one in found if one.host in given}
        # A host's slots are shared by all of its queues.
        busy = {one.host for one in found if not one.is_unused}
        found = [replace(one, is_unused=one.is_unused and one.host not in busy) for one in found]
        return [_like(one, asked.get(one.queue, one)) for one in found]
    except ValueError as error:
        raise broken(
            f"described a queue that is not understood: {error}", "给出了无法理解的描述", completed, argv
        ) from None


def _given(text: str, nonce: str) -> Mapping[str, Mapping[str, str]]:
    """What the hosts that were asked have, from lines such as NONCE HOST complex_values slots=8,gpu=2."""
    found: dict[str, Mapping[str, str]] = {}
    for line in text.split("\n"):
        words = line.split()
        if len(words) >= 4 and words[0] == nonce and words[2] == "complex_values":
            found[words[1]] = dict(word.partition("=")[::2] for word in "".join(words[3:]).split(","))
    return found


def _instance(row: Element, given: Mapping[str, Mapping[str, str]]) -> _Instance:
    values = {one.get("name", ""): one.text or "" for one in row.iterfind("resource")}
    queue, _, host = row.findtext("name", "").partition("@")
    state = printable(row.findtext("state", ""), 40)
    slots, used = _at_most(row.findtext("slots_total", "")), _at_most(row.findtext("slots_used", ""))
    # A host's own slots are shared by all of its queues.
    free = min(slots - used - _at_most(row.findtext("slots_resv", "0")), _at_most(values.get("slots", str(slots))))
    cards, has = _at_most(values.get("gpu", "0")), given.get(host, {})
    return _Instance(
        queue=printable(queue, 200),
        host=printable(host, 200),
        state=state,
        slots=slots,
        free_slots=0 if state else max(free, 0),
        is_unused=used == 0,
        memory_bytes=_memory(values, has),
        has_cards="gpu" in values,
        gpus=_at_most(has.get("gpu", str(cards))),
        free_gpus=0 if state else cards,
        gpu_model=printable(values["gpu_model"], 64) if "gpu_model" in values and "gpu" in values else None,
        max_wall=_limit(values.get("h_rt", "infinity")),
        number=_at_most(values.get("seq_no", "0")),
    )


def _like(one: _Instance, asked: _Instance) -> _Instance:
    gpus = max(one.gpus, asked.gpus) if one.has_cards else 0
    return replace(one, gpus=gpus, memory_bytes=max(one.memory_bytes, asked.memory_bytes))


def _memory(values: Mapping[str, str], has: Mapping[str, str]) -> int:
    """What jobs can ask for: the host's share that is booked, and where none is, what the machine has."""
    for source, name in ((has, "h_vmem"), (values, "h_vmem"), (values, "mem_total")):
        text = source.get(name, "infinity")
        if text.lower() != "infinity":
            return size_bytes(text)
    return 0


def _queue(name: str, members: Sequence[_Instance], *, is_default: bool) -> QueueInfo:
    limits = [one.max_wall for one in members]
    models = [one.gpu_model for one in members if one.gpu_model]
    return QueueInfo(
        name=name,
        is_up=any(not set(one.state) & set("duEDC") for one in members),
        is_default=is_default,
        nodes=len(members),
        cores=sum(one.slots for one in members),
        free_cores=sum(one.free_slots for one in members),
        free_nodes=sum(one.is_unused and not one.state for one in members),
        cores_per_node=max(one.slots for one in members),
        memory_per_node_bytes=max(one.memory_bytes for one in members),
        gpus_per_node=max(one.gpus for one in members),
        gpu_model=models[0] if models else None,
        free_gpus=sum(one.free_gpus for one in members),
        max_wall=None if None in limits else max(limit for limit in limits if limit is not None),
        max_nodes=None,
    )


def _node(name: str, members: Sequence[_Instance]) -> NodeInfo:
    return NodeInfo(
        name=name,
        native_state=",".join(sorted({one.state for one in members if one.state})) or "up",
        cores=max(one.slots for one in members),
        free_cores=max(one.free_slots for one in members),
        memory_bytes=max(one.memory_bytes for one in members),
        gpus=max(one.gpus for one in members),
        gpu_model=next((one.gpu_model for one in members if one.gpu_model), None),
        queues=tuple(one.queue for one in members),
    )


def _limit(text: str) -> timedelta | None:
    return None if text.lower() == "infinity" else clock(text)


def _at_most(text: str) -> int:
    """A number of slots or cards; resources are printed as 32.000000 or 32. ValueError for more than a host has."""
    number = count(text.strip().partition(".")[0])
    if number > CORES_MOST:
        raise ValueError(f"{number} is more than any host has")
    return number

"""What a job asks for, in each flavour's own words: `-l select=…` of OpenPBS, `-l nodes=…` of Torque; and its array."""

import re
from collections.abc import Iterator

from paracloud.dialects.pbs.layout import Chunk, chunks, is_anywhere
from paracloud.dialects.records import Request
from paracloud.kit.errors import Unsupported

TASKS_LISTED_MOST = 1000
_ONE_RANGE = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?:%(\d+))?", re.ASCII)


def of_openpbs(request: Request) -> Iterator[str]:
    """Chunks with their tasks (pbs_resources(7B)): spread over nodes, or anywhere."""
    yield "-l select=" + "+".join(_select(request, chunk) for chunk in chunks(request))
    place = "free" if is_anywhere(request) else "scatter"
    yield f"-l place={place}" + (":exclhost" if request.exclusive else "")


def of_torque(request: Request) -> Iterator[str]:
    """Nodes with cores (`ppn`), and the memory of all of them together. Torque's own scheduler knows no tasks that may
    stand anywhere: they are asked for on one node, which is refused where none is large enough."""
    parts = [Chunk(1, one.count, one.count * one.cores, _times(one)) for one in chunks(request)]
    parts = parts if is_anywhere(request) else chunks(request)
    yield "-l nodes=" + "+".join(_node(request, part) for part in parts)
    memory = [part.count * part.memory_mib for part in parts if part.memory_mib is not None]
    if memory:
        yield f"-l mem={sum(memory)}mb"
    if request.exclusive:
        yield "-l naccesspolicy=singlejob"


def array_of_openpbs(text: str) -> str:
    """One range of at least two tasks, with a step (qsub(1B), -J)."""
    found = _ONE_RANGE.fullmatch(text)
    if found is None or int(found[1]) + int(found[3] or 1) > int(found[2]):
        raise Unsupported(
            f"OpenPBS has arrays of one range of at least two tasks, such as 0-9 or 0-9:3%4, not {text[:40]!a}: change "
            "--array.",
            f"OpenPBS 的数组作业只能是一个至少含两个任务的区间，如 0-9:3%4，不能是 {text[:40]!a}：请修改 --array。",
            field="array",
        )
    return f"-J {text}"


def array_of_torque(text: str) -> str:
    """Ranges and single tasks, but no steps: those are written out (qsub(1B), -t)."""
    body, percent, limit = text.partition("%")
    parts = [_without_step(part, text) for part in body.split(",")]
    return "-t " + ",".join(parts) + percent + limit


def array_kind_of_torque(kind: str) -> str:
    """afterokarray and the like: Torque has words of their own for a dependency on an array."""
    return "afterstartarray" if kind == "after" else f"{kind}array"


def _select(request: Request, chunk: Chunk) -> str:
    words = [str(chunk.count), f"ncpus={chunk.cores}", f"mpiprocs={chunk.tasks}"]
    if chunk.memory_mib is not None:
        words.append(f"mem={chunk.memory_mib}mb")
    if request.gpus_per_node:
        words.append(f"ngpus={request.gpus_per_node}")
    if request.gpu_model:
        words.append(f"gpu_model={request.gpu_model}")
    return ":".join(words)


def _node(request: Request, chunk: Chunk) -> str:
    words = [str(chunk.count), f"ppn={chunk.cores}"]
    if request.gpus_per_node:
        words.append(f"gpus={request.gpus_per_node}")
    if request.gpu_model:
        # A property of the node, as operators of Torque name what nodes have.
        words.append(request.gpu_model)
    return ":".join(words)


def _times(chunk: Chunk) -> int | None:
    return None if chunk.memory_mib is None else chunk.count * chunk.memory_mib


def _without_step(part: str, text: str) -> str:
    span, colon, step = part.partition(":")
    if not colon:
        return span
    first, _, last = span.partition("-")
    tasks = range(int(first), int(last) + 1, max(int(step), 1))
    if len(tasks) > TASKS_LISTED_MOST:
        raise Unsupported(
            f"Torque knows no steps in arrays, and {text[:40]!a} has more than {TASKS_LISTED_MOST} tasks to write out: "
            "change --array.",
            f"Torque 的数组作业不支持步长，而 {text[:40]!a} 展开后超过 {TASKS_LISTED_MOST} 个任务：请修改 --array。",
            field="array",
        )
    return ",".join(map(str, tasks))

"""One line of Grid Engine's accounting file, taken apart (man 5 accounting).

Of its fields only the category holds a text that whoever submits chooses freely: the value of a request for a resource
that is a string, `-soft -l 'arch=n:0.0:1.t'`. It may hold colons and line breaks, but no blank and no comma (8.1.9,
tried; names, accounts, projects and environments are refused with a colon). So fields are counted from both ends, and
what such a text makes look like a line of its own is told by its category, which without a blank can only be NONE.
"""

import re
from collections.abc import Mapping

FIELDS = (
    "qname", "hostname", "group", "owner", "job_name", "job_number", "account", "priority", "submission_time",
    "start_time", "end_time", "failed", "exit_status", "ru_wallclock", "ru_utime", "ru_stime", "ru_maxrss", "ru_ixrss",
    "ru_ismrss", "ru_idrss", "ru_isrss", "ru_minflt", "ru_majflt", "ru_nswap", "ru_inblock", "ru_oublock", "ru_msgsnd",
    "ru_msgrcv", "ru_nsignals", "ru_nvcsw", "ru_nivcsw", "project", "department", "granted_pe", "slots", "task_number",
    "cpu", "mem", "io", "category", "iow", "pe_taskid", "maxvmem", "arid", "ar_submission_time",
)  # fmt: skip
"""Of Grid Engine 6.2 and what came of it; older ones lack the last two, Univa's adds more."""
NO_REQUEST = "NONE"
_FRONT = FIELDS.index("category")
_BEHIND = len(FIELDS) - _FRONT - 1
_BEHIND_OLD = FIELDS.index("maxvmem") - _FRONT
_MEASURE = re.compile(r"-?[0-9][0-9.e+-]*", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_OPTIONS = re.compile(r"(?:(?:-soft -l|-[A-Za-z]+)(?: [^ -][^ ]*){1,4}(?: |$))+")
_LAST_REQUEST = re.compile(r"-l (?:[^ ]*,)?([^ ,=]+)=[^ ]*")
_NUMBERS = frozenset(
    {"h_rt", "s_rt", "h_cpu", "s_cpu", "h_vmem", "s_vmem", "h_rss", "s_rss", "h_data", "s_data", "h_stack", "s_stack"}
    | {"h_fsize", "s_fsize", "mem_free", "mem_total", "virtual_free", "slots", "num_proc", "gpu", "gpus", "ngpus"}
)
"""Requests that hold no free text, as Grid Engine has them before any site adds its own."""


def values_of(text: str) -> dict[str, str]:
    """By the names of FIELDS. ValueError for a line whose fields are not certain."""
    words = text.split(":")
    if len(words) <= _FRONT + _BEHIND_OLD:
        raise ValueError(
            f"it has {len(words)} fields instead of {len(FIELDS)}", f"应有 {len(FIELDS)} 个字段，实有 {len(words)} 个"
        )
    front = dict(zip(FIELDS, words[:_FRONT], strict=False))
    category, behind = _from_the_end(words) or _as_longer(words, front["granted_pe"])
    if not (_MEASURE.fullmatch(front["io"]) and _MEASURE.fullmatch(behind["iow"])):
        raise ValueError("io and iow are no numbers: a field holds a colon", "io 与 iow 不是数字：某字段中含有冒号")
    if category not in ("", NO_REQUEST) and not _OPTIONS.fullmatch(category):
        raise ValueError("its category is none that Grid Engine writes", "其 category 字段不是 Grid Engine 所写的格式")
    return {**front, "category": category, **behind}


def asked(text: str, *names: str) -> list[str]:
    """What a line says after one of these names and `=`, wherever behind its front: a free text may say it too, and
    then it counts besides."""
    behind = ":".join(text.split(":")[_FRONT:])
    return re.findall(rf"(?:^|[ ,:])(?:{'|'.join(names)})=([^ ,:]*)", behind)


def may_go_on(category: str) -> bool:
    """Whether the line may have been broken inside a free text, so that the next ones are of whoever submitted it."""
    last = category.rpartition(" -")[2]
    found = _LAST_REQUEST.fullmatch(last if last.startswith("-") else f"-{last}")
    return found is not None and found[1] not in _NUMBERS


def _from_the_end(words: list[str]) -> tuple[str, dict[str, str]] | None:
    """None for what ends as no Grid Engine but Univa's writes it."""
    is_new = len(words) >= len(FIELDS) and all(_NUMBER.fullmatch(word) for word in words[-2:])
    behind = words[-_BEHIND if is_new else -_BEHIND_OLD :]
    found = dict(zip(FIELDS[_FRONT + 1 :], behind, strict=False))
    if not (_MEASURE.fullmatch(found["iow"]) and _MEASURE.fullmatch(found["maxvmem"])):
        return None
    return ":".join(words[_FRONT : len(words) - len(behind)]), found


def _as_longer(words: list[str], granted: str) -> tuple[str, Mapping[str, str]]:
    """Univa's line holds free texts behind as well: it is read from its front. Which task of a parallel job it is of
    is not certain then, and would say that it is charged with another line."""
    found = dict(zip(FIELDS[_FRONT:], words[_FRONT:], strict=False))
    if found["pe_taskid"] not in (NO_REQUEST, ""):
        raise ValueError(
            f"it has {len(words)} fields instead of {len(FIELDS)}, and pe_taskid is not certain",
            f"应有 {len(FIELDS)} 个字段，实有 {len(words)} 个，无法确定 pe_taskid",
        )
    return found.pop("category"), found

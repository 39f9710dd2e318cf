"""What a PBS server remembers of an ended job, in the words of its accounting log."""

from collections.abc import Mapping
from datetime import datetime

from paracloud.dialects.pbs.text import moment, owner, wall


def as_logged(said: Mapping[str, str]) -> dict[str, str]:
    """What qstat tells of an ended job, by the names and in the units of a log's record of type E."""
    start, end = start_of(said), _end(said)
    times = {"ctime": said.get("ctime"), "qtime": said.get("qtime"), "etime": said.get("etime")}
    return {
        **{name: value for name, value in said.items() if name.startswith("Resource_List.")},
        **{name: said[name] for name in ("queue", "exec_host", "exec_vnode", "exec_gpus", "project") if name in said},
        **{name: _seconds(moment(text)) for name, text in times.items() if text},
        "user": owner(said["Job_Owner"]),
        "group": said.get("egroup", ""),
        "account": said.get("Account_Name", ""),
        "jobname": said.get("Job_Name", ""),
        "start": _seconds(start),
        "end": _seconds(end),
        "Exit_status": status_of(said) or "271",
    }


def status_of(said: Mapping[str, str]) -> str:
    return said.get("Exit_status") or said.get("exit_status") or ""


def start_of(said: Mapping[str, str]) -> datetime | None:
    return moment(said.get("stime") or said.get("start_time") or "")


def _end(said: Mapping[str, str]) -> datetime | None:
    """As it is told, or what it used up after its start; the last change of the job where it never ran."""
    told = moment(said.get("obittime") or said.get("comp_time") or "")
    start, used = start_of(said), wall(said.get("resources_used.walltime", ""))
    if told is None and start is not None and used is not None:
        return start + used
    return told or moment(said.get("mtime", ""))


def _seconds(time: datetime | None) -> str:
    return "0" if time is None else str(int(time.timestamp()))

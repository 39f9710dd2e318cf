"""From options, as a script and a command line write them, to a checked JobSpec. Every entrance goes through here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from paracloud.jobs.array import read_array
from paracloud.jobs.checks import (
    check_environment,
    check_inputs,
    check_name,
    check_output,
    check_passed,
    check_word,
    read_dependencies,
    read_export,
)
from paracloud.jobs.directives import DIRECTIVES, Takes, Use
from paracloud.jobs.licences import read_licences
from paracloud.jobs.notice import Notice
from paracloud.jobs.quantities import memory_bytes, wall
from paracloud.jobs.sbatch import Script, read_options, read_script
from paracloud.jobs.shape import read_shape
from paracloud.jobs.spec import InputFile, JobSpec
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName

WALL_DEFAULT = timedelta(hours=1)
"""Where neither script nor command line names a limit: the hold needs one. The user is told."""
OBJECTIVES = ("cheapest", "soonest")
_PASSED = frozenset(one.name for one in DIRECTIVES if one.use in {Use.PASSED, Use.COUNTED})
_REQUEUE = ("requeue", "no-requeue")
_RIVALS = (
    frozenset({"gres", "gpus", "gpus-per-node", "gpus-per-task"}),
    frozenset({"mem", "mem-per-cpu"}),
    frozenset(_REQUEUE),
    frozenset({"ntasks-per-node", "tasks-per-node"}),
)
"""Options that say the same thing: one on the command line silences all of its rivals in the script."""


@dataclass(frozen=True, slots=True)
class Built:
    spec: JobSpec
    notices: tuple[Notice, ...]


def build(
    script: bytes | str,
    options: Mapping[str, str] | None = None,
    *,
    default_name: str = "job",
    centre: str | None = None,
    objective: str = "cheapest",
    movable: bool = True,
    environment: Mapping[str, str] | None = None,
    inputs: Sequence[InputFile] = (),
) -> Built:
    """`options` are sbatch's, by long name, from the command line or the API; they win over the script's. Raises
    Invalid, TooLarge or Unsupported with the option's name in `field`."""
    read = read_script(script)
    over = read_options(option_words(options or {}))
    merged = merge(read, over)
    notices = [*read.notices, *over.notices]
    if objective not in OBJECTIVES:
        raise Invalid(
            f"objective must be one of {', '.join(OBJECTIVES)}.",
            f"objective 必须是 {'、'.join(OBJECTIVES)} 之一。",
            field="objective",
        )
    shape = read_shape(merged, notices)
    read_licences(merged.get("licenses", ""))
    exported = read_export(merged.get("export", ""), notices)
    spec = JobSpec(
        name=check_name(merged.get("job-name", default_name)),
        script=read.text,
        wall_limit=_wall(merged, notices),
        tasks=shape.tasks,
        cores_per_task=shape.cores_per_task,
        nodes=shape.nodes,
        tasks_per_node=shape.tasks_per_node,
        memory_per_node_bytes=memory_bytes("mem", merged["mem"]) if "mem" in merged else None,
        memory_per_core_bytes=memory_bytes("mem-per-cpu", merged["mem-per-cpu"]) if "mem-per-cpu" in merged else None,
        gpus_per_node=shape.gpus_per_node,
        gpu_model=shape.gpu_model,
        exclusive=shape.exclusive,
        centre=CentreName(centre) if centre else None,
        queue=check_word("partition", merged["partition"]) if "partition" in merged else None,
        objective=objective,
        array=read_array(merged["array"]).text if "array" in merged else None,
        depends_on=read_dependencies(merged.get("dependency", "")),
        output=check_output("output", merged["output"]) if "output" in merged else None,
        error=check_output("error", merged["error"]) if "error" in merged else None,
        environment=check_environment({**exported, **(environment or {})}),
        inputs=check_inputs(inputs),
        requeue=[name for name in merged if name in _REQUEUE][-1:] == ["requeue"],
        hold="hold" in merged,
        movable=movable,
        extra={name: check_passed(name, text) for name, text in merged.items() if name in _PASSED},
    )
    return Built(spec, tuple(notices))


def merge(script: Script, over: Script) -> dict[str, str]:
    """The script's options less those that the command line says again, and the command line's."""
    silenced = set(over.options)
    for rivals in _RIVALS:
        if rivals & silenced:
            silenced |= rivals
    kept = {name: text for name, text in script.options.items() if name not in silenced}
    merged = {**kept, **over.options}
    if "mem" in merged and "mem-per-cpu" in merged:
        raise Invalid(
            "--mem and --mem-per-cpu exclude each other: keep one.",
            "--mem 与 --mem-per-cpu 不能同时使用，请保留其一。",
            field="mem",
        )
    return merged


def option_words(options: Mapping[str, str]) -> list[str]:
    """Named options as a command line would write them; a switch may be "true", and vanishes at "false"."""
    flags = {one.name for one in DIRECTIVES if one.takes is not Takes.VALUE}
    words = []
    for name, text in options.items():
        if name in flags and text.lower() in {"", "true", "false"}:
            words += [f"--{name}"] if text.lower() != "false" else []
        else:
            words.append(f"--{name}={text}")
    return words


def _wall(options: Mapping[str, str], notices: list[Notice]) -> timedelta:
    if "time" in options:
        return wall("time", options["time"])
    notices.append(
        Notice(
            "time",
            "No --time is given: the job may run for 1 hour at most.",
            "没有给出 --time：作业最多运行 1 小时。",
        )
    )
    return WALL_DEFAULT

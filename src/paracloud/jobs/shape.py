"""How many tasks, cores, nodes and GPUs the options ask for, brought to the one form that JobSpec has."""

from collections.abc import Mapping
from dataclasses import dataclass

from paracloud.jobs.checks import check_word
from paracloud.jobs.notice import Notice
from paracloud.jobs.quantities import count, hosts
from paracloud.kit.errors import Invalid, Unsupported

TASKS_MOST = 1_000_000
CORES_PER_TASK_MOST = 4096
NODES_MOST = 100_000
GPUS_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Shape:
    tasks: int
    cores_per_task: int
    nodes: int | None
    tasks_per_node: int | None
    gpus_per_node: int
    gpu_model: str | None
    exclusive: bool


def read_shape(options: Mapping[str, str], notices: list[Notice]) -> Shape:
    nodes = _nodes(options)
    per_node = _number(options, "ntasks-per-node", TASKS_MOST) or _number(options, "tasks-per-node", TASKS_MOST)
    tasks = _number(options, "ntasks", TASKS_MOST) or (nodes or 1) * (per_node or 1)
    if nodes is not None and tasks < nodes:
        notices.append(
            Notice(
                "nodes",
                f"{tasks} tasks cannot fill {nodes} nodes: {tasks} nodes are asked for, as sbatch does.",
                f"{tasks} 个任务无法占满 {nodes} 个节点：与 sbatch 一样，改为 {tasks} 个节点。",
            )
        )
        nodes = tasks
    if nodes is not None and per_node is not None and tasks > nodes * per_node:
        raise Invalid(
            f"{tasks} tasks do not fit on {nodes} nodes with {per_node} tasks each: change --ntasks, --nodes or "
            f"--ntasks-per-node.",
            f"{nodes} 个节点、每节点 {per_node} 个任务放不下 {tasks} 个任务："
            f"请修改 --ntasks、--nodes 或 --ntasks-per-node。",
            field="ntasks",
        )
    cores = _number(options, "cpus-per-task", CORES_PER_TASK_MOST) or 1
    gpus, model, nodes = _gpus(options, tasks, nodes, notices)
    _require_named(options, tasks, nodes)
    return Shape(tasks, cores, nodes, per_node, gpus, model, _exclusive(options))


def _require_named(options: Mapping[str, str], tasks: int, nodes: int | None) -> None:
    """The scheduler gives every node that is named, whatever the tasks need."""
    if "nodelist" not in options:
        return
    named = hosts("nodelist", options["nodelist"])
    if named > (nodes or tasks):
        raise Invalid(
            f"--nodelist names {named} nodes, more than the {nodes or tasks} that the job can have: change --nodes, "
            "--ntasks or the list.",
            f"--nodelist 列出 {named} 个节点，超过作业可用的 {nodes or tasks} 个：请修改 --nodes、--ntasks 或该列表。",
            field="nodelist",
        )


def _number(options: Mapping[str, str], option: str, most: int) -> int | None:
    return count(option, options[option], most=most) if option in options else None


def _nodes(options: Mapping[str, str]) -> int | None:
    if "nodes" not in options:
        return None
    least, dash, most = options["nodes"].partition("-")
    if dash and least != most:
        raise Unsupported(
            "--nodes must be one number, not a range: the most that the job can cost depends on it.",
            "--nodes 必须是一个数字而不是范围：作业的最高费用取决于它。",
            field="nodes",
        )
    return count("nodes", least, most=NODES_MOST)


def _gpus(
    options: Mapping[str, str], tasks: int, nodes: int | None, notices: list[Notice]
) -> tuple[int, str | None, int | None]:
    """GPUs per node, their model, and the nodes: a total is spread over the nodes, which without --nodes means one."""
    named = [name for name in ("gres", "gpus-per-node", "gpus", "gpus-per-task") if name in options]
    if not named:
        return 0, None, nodes
    option = named[0]
    model, number = _gres(options[option]) if option == "gres" else _model_and_number(option, options[option])
    if option in ("gres", "gpus-per-node"):
        return number, model, nodes
    total = number * tasks if option == "gpus-per-task" else number
    if nodes is None:
        notices.append(
            Notice(
                option,
                f"--{option} without --nodes: all {total} GPUs are asked for on one node.",
                f"--{option} 没有配合 --nodes：{total} 张卡将在同一个节点上申请。",
            )
        )
    spread = nodes or 1
    if total % spread:
        raise Invalid(
            f"{total} GPUs cannot be spread evenly over {spread} nodes: use --gpus-per-node.",
            f"{total} 张卡无法平均分到 {spread} 个节点：请使用 --gpus-per-node。",
            field=option,
        )
    return total // spread, model, spread


def _gres(text: str) -> tuple[str | None, int]:
    """gpu, gpu:2, gpu:a100:2, each also as gres/gpu…; the platform knows no other kind."""
    kind, _, rest = text.removeprefix("gres/").partition(":")
    if kind != "gpu" or "," in text:
        raise Unsupported(
            f"--gres={text[:40]!a}: only GPUs are offered, one kind a job, such as --gres=gpu:2 or --gres=gpu:a100:2.",
            f"--gres={text[:40]!a}：平台只提供 GPU，每个作业一种，例如 --gres=gpu:2 或 --gres=gpu:a100:2。",
            field="gres",
        )
    return _model_and_number("gres", rest or "1")


def _model_and_number(option: str, text: str) -> tuple[str | None, int]:
    model, colon, number = text.rpartition(":")
    if option == "gres" and not colon and not text.isdigit():
        return check_word(option, text), 1
    return (check_word(option, model) if colon else None), count(option, number, most=GPUS_MOST)


def _exclusive(options: Mapping[str, str]) -> bool:
    if options.get("exclusive", "") != "":
        raise Unsupported(
            "--exclusive takes no value here: whole nodes are given to the job.",
            "--exclusive 在此不带值：作业独占整个节点。",
            field="exclusive",
        )
    return "exclusive" in options

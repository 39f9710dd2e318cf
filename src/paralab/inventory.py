"""What is to be built, as values: centres with partitions of like nodes, read strictly from TOML."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any

from paralab.errors import LabError
from paralab.table import NAME, count, demand_known, demand_name, tables, wrong

TIME = re.compile(r"(\d{1,4}-)?([01]?\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)
PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)
NODES_AT_MOST = 64
QUEUES_THAT_CANNOT_BE = ("all", "none", "template", "infinity", "undefined")
ACCOUNTS_AT_MOST = 200
OURS = re.compile(
    r"(cluster|control|slurmctld|slurmd|slurm)(name|machine|addr|host|port|user|pidfile|logfile|spooldir)"
    r"|(backup|node|partition|frontend|down).*|include|authtype|authinfo|credtype|tmpfs|statesavelocation|firstjobid"
    r"|accountingstorage(host|port|pass|type|user|backuphost|externalhost)|gres.*"
)
"""Parameters, in lower case, by which paralab keeps centres apart and finds its daemons."""


class SchedulerName(StrEnum):
    SLURM = "slurm"
    GRID_ENGINE = "gridengine"


@dataclass(frozen=True, slots=True)
class Partition:
    """`nodes` machines of `cores` cores and `memory_mib` each; `gpus` cards of `gpu_model` on every one."""

    name: str
    nodes: int
    cores: int
    memory_mib: int
    max_time: str
    is_default: bool = False
    max_nodes: int | None = None
    gpus: int = 0
    gpu_model: str = ""


@dataclass(frozen=True, slots=True)
class Centre:
    """`accounts` Unix accounts are lent to tenants (NAME001 and on), NAMEsvc observes. `slurm` adds or replaces
    parameters of slurm.conf. In Grid Engine a partition is a cluster queue of its name."""

    name: str
    accounts: int
    partitions: tuple[Partition, ...]
    slurm: Mapping[str, str] = field(default_factory=dict)
    scheduler: SchedulerName = SchedulerName.SLURM

    @property
    def pool(self) -> tuple[str, ...]:
        return tuple(f"{self.name}{number:03}" for number in range(1, self.accounts + 1))

    @property
    def service_account(self) -> str:
        return f"{self.name}svc"

    @property
    def nodes(self) -> list[tuple[str, Partition]]:
        """Every node with its partition: eastcpu1, eastcpu2, …"""
        return [
            (f"{self.name}{partition.name}{number}", partition)
            for partition in self.partitions
            for number in range(1, partition.nodes + 1)
        ]


@dataclass(frozen=True, slots=True)
class Inventory:
    centres: tuple[Centre, ...]


def default_inventory() -> Inventory:
    """Two centres, unlike in size, partitions and limits."""
    return parse(files("paralab").joinpath("default.toml").read_text())


def parse(text: str) -> Inventory:
    """LabError names the key at fault and says what to write there; an unknown key is at fault too."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LabError(
            f"The inventory is not TOML: {error}. Mend it there.", f"清单不是有效的 TOML：{error}。请在该处修正。"
        ) from error
    demand_known(tree, {"centre"}, "inventory")
    centres = tuple(_centre(name, table) for name, table in tables(tree, "centre", "inventory").items())
    if not centres:
        raise LabError(
            "The inventory names no centre; add [centre.NAME].", "清单中没有超算中心；请添加 [centre.名称]。"
        )
    return Inventory(centres)


def _centre(name: str, table: Mapping[str, Any]) -> Centre:
    where = f"centre.{name}"
    demand_name(name, where)
    demand_known(table, {"accounts", "partition", "scheduler", "slurm"}, where)
    partitions = tuple(_partition(key, value, where) for key, value in tables(table, "partition", where).items())
    nodes = sum(partition.nodes for partition in partitions)
    if not 1 <= nodes <= NODES_AT_MOST:
        raise wrong(
            f"{where}.partition",
            f"partitions with 1 to {NODES_AT_MOST} nodes in all, not {nodes}",
            f"合计 1 至 {NODES_AT_MOST} 个节点的分区，而不是 {nodes} 个",
        )
    if sum(partition.is_default for partition in partitions) > 1:
        raise wrong(f"{where}.partition", "default = true at one partition alone", "只在一个分区写 default = true")
    accounts = count(table, "accounts", where, 1, ACCOUNTS_AT_MOST, 16)
    centre = Centre(name, accounts, partitions, _slurm(table, where), _scheduler(table, where))
    _demand_unlike_nodes(centre, where)
    if centre.scheduler is SchedulerName.GRID_ENGINE:
        _demand_what_grid_engine_can(table, centre, where)
    return centre


def _scheduler(table: Mapping[str, Any], where: str) -> SchedulerName:
    name = table.get("scheduler", SchedulerName.SLURM)
    if not isinstance(name, str) or name not in tuple(SchedulerName):
        names = " / ".join(f'"{one}"' for one in SchedulerName)
        raise wrong(f"{where}.scheduler", f"one of {names}", f"以下之一：{names}")
    return SchedulerName(name)


def _demand_what_grid_engine_can(table: Mapping[str, Any], centre: Centre, where: str) -> None:
    if "slurm" in table:
        raise wrong(
            f"{where}.slurm",
            'nothing here, since Grid Engine has no slurm.conf; or scheduler = "slurm"',
            '任何内容都不需要（Grid Engine 没有 slurm.conf），或改为 scheduler = "slurm"',
        )
    for partition in centre.partitions:
        at = f"{where}.partition.{partition.name}"
        if partition.name in QUEUES_THAT_CANNOT_BE:
            raise wrong(
                at, "another name: Grid Engine keeps this one for itself", "另一个名称：Grid Engine 保留了该名称"
            )
        if partition.max_nodes is not None:
            raise wrong(
                f"{at}.max_nodes",
                "nothing: a Grid Engine queue cannot say on how many nodes one job may run",
                "无需填写：Grid Engine 队列无法限制单个作业的节点数",
            )


def _demand_unlike_nodes(centre: Centre, where: str) -> None:
    seen: dict[str, str] = {}
    for node, partition in centre.nodes:
        other = seen.setdefault(node, partition.name)
        if other != partition.name:
            raise wrong(
                f"{where}.partition.{partition.name}",
                f"another name: its node {node} would be called as one of partition {other}",
                f"另一个名称：其节点 {node} 与分区 {other} 的节点重名",
            )


def _slurm(table: Mapping[str, Any], where: str) -> Mapping[str, str]:
    found = {}
    for key, value in tables(table, "slurm", where, leaves=True).items():
        at = f"{where}.slurm.{key}"
        if not PARAMETER.fullmatch(key):
            raise wrong(at, "the name of a parameter of slurm.conf", "slurm.conf 的参数名")
        if OURS.fullmatch(key.lower()):
            raise wrong(at, "nothing: paralab sets this parameter itself", "无需填写：该参数由 paralab 设置")
        if type(value) not in (str, int) or not str(value).isprintable():
            raise wrong(at, "one line of text, or a whole number", "一行文字或整数")
        found[key] = str(value)
    if len({key.lower() for key in found}) < len(found):
        raise wrong(
            f"{where}.slurm",
            "each parameter once; Slurm reads capitals as small letters",
            "每个参数只写一次（Slurm 不分大小写）",
        )
    return found


def _partition(name: str, table: Mapping[str, Any], parent: str) -> Partition:
    where = f"{parent}.partition.{name}"
    demand_name(name, where)
    if name == "default":
        raise wrong(where, "another name: Slurm keeps this one for itself", "另一个名称：Slurm 保留了该名称")
    keys = {"nodes", "cores", "memory_mib", "max_time", "default", "max_nodes", "gpus", "gpu_model"}
    demand_known(table, keys, where)
    max_time = table.get("max_time", "1-00:00:00")
    if not isinstance(max_time, str) or not TIME.fullmatch(max_time) or not max_time.strip("0-:"):
        raise wrong(f"{where}.max_time", "D-HH:MM:SS, longer than nothing", "D-HH:MM:SS，且大于零")
    is_default = table.get("default", False)
    if type(is_default) is not bool:
        raise wrong(f"{where}.default", "true or false", "true 或 false")
    nodes = count(table, "nodes", where, 1, NODES_AT_MOST, None)
    gpus, model = _gpus(table, where)
    return Partition(
        name=name,
        nodes=nodes,
        cores=count(table, "cores", where, 1, 1024, None),
        memory_mib=count(table, "memory_mib", where, 1, 64 * 1024 * 1024, None),
        max_time=max_time,
        is_default=is_default,
        max_nodes=count(table, "max_nodes", where, 1, nodes, None) if "max_nodes" in table else None,
        gpus=gpus,
        gpu_model=model,
    )


def _gpus(table: Mapping[str, Any], where: str) -> tuple[int, str]:
    gpus, model = count(table, "gpus", where, 0, 16, 0), table.get("gpu_model", "")
    if gpus and not (isinstance(model, str) and NAME.fullmatch(model)):
        raise wrong(f"{where}.gpu_model", "a name such as a100", "型号名称，例如 a100")
    if not gpus and "gpu_model" in table:
        raise wrong(
            f"{where}.gpus",
            "how many cards a node has (1 to 16), or leave gpu_model out",
            "每个节点的卡数（1 至 16），或删除 gpu_model",
        )
    return gpus, model

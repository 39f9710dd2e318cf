"""What is to be built, as values: centres with partitions of like nodes, read strictly from TOML."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from paralab.errors import LabError

NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")
TIME = re.compile(r"(\d+-)?\d{1,2}:\d{2}:\d{2}")
NODES_AT_MOST = 64
ACCOUNTS_AT_MOST = 200


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
    parameters of slurm.conf."""

    name: str
    accounts: int
    partitions: tuple[Partition, ...]
    slurm: Mapping[str, str] = field(default_factory=dict)

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
    """LabError names the key at fault; an unknown key is at fault too."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"The inventory is not TOML: {error}.", f"清单不是有效的 TOML：{error}。") from error
    _known(tree, {"centre"}, "inventory")
    centres = tuple(_centre(name, table) for name, table in _tables(tree, "centre", "inventory").items())
    if not centres:
        raise LabError(
            "The inventory names no centre; add [centre.NAME].", "清单中没有超算中心；请添加 [centre.名称]。"
        )
    return Inventory(centres)


def _centre(name: str, table: Mapping[str, Any]) -> Centre:
    where = f"centre.{name}"
    _name(name, where)
    _known(table, {"accounts", "partition", "slurm"}, where)
    partitions = tuple(_partition(key, value, where) for key, value in _tables(table, "partition", where).items())
    nodes = sum(partition.nodes for partition in partitions)
    if not 1 <= nodes <= NODES_AT_MOST:
        raise _wrong(f"{where}.partition", f"1 to {NODES_AT_MOST} nodes in all, not {nodes}")
    slurm = {key: str(value) for key, value in _tables(table, "slurm", where, leaves=True).items()}
    if any("\n" in part for pair in slurm.items() for part in pair):
        raise _wrong(f"{where}.slurm", "one line each")
    return Centre(name, _count(table, "accounts", where, 1, ACCOUNTS_AT_MOST, 16), partitions, slurm)


def _partition(name: str, table: Mapping[str, Any], parent: str) -> Partition:
    where = f"{parent}.partition.{name}"
    _name(name, where)
    keys = {"nodes", "cores", "memory_mib", "max_time", "default", "max_nodes", "gpus", "gpu_model"}
    _known(table, keys, where)
    max_time = table.get("max_time", "1-00:00:00")
    if not isinstance(max_time, str) or not TIME.fullmatch(max_time):
        raise _wrong(f"{where}.max_time", "D-HH:MM:SS")
    gpus, model = _count(table, "gpus", where, 0, 16, 0), table.get("gpu_model", "")
    if gpus and not (isinstance(model, str) and NAME.fullmatch(model)):
        raise _wrong(f"{where}.gpu_model", "a name such as a100")
    return Partition(
        name=name,
        nodes=_count(table, "nodes", where, 1, NODES_AT_MOST, None),
        cores=_count(table, "cores", where, 1, 1024, None),
        memory_mib=_count(table, "memory_mib", where, 1, 64 * 1024 * 1024, None),
        max_time=max_time,
        is_default=table.get("default") is True,
        max_nodes=_count(table, "max_nodes", where, 1, NODES_AT_MOST, None) if "max_nodes" in table else None,
        gpus=gpus,
        gpu_model=model,
    )


def _tables(tree: Mapping[str, Any], key: str, where: str, *, leaves: bool = False) -> Mapping[str, Any]:
    found = tree.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(value, dict) is not leaves for value in found.values()):
        raise _wrong(f"{where}.{key}", f"a table such as [{key}.NAME]")
    return found


def _known(table: Mapping[str, Any], keys: set[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise _wrong(f"{where}.{key}", f"one of {', '.join(sorted(keys))}")


def _name(name: str, where: str) -> None:
    if not NAME.fullmatch(name):
        raise _wrong(where, "a name of a-z, 0-9 and -, beginning with a letter, at most 15")


def _count(table: Mapping[str, Any], key: str, where: str, least: int, most: int, default: int | None) -> int:
    value = table.get(key, default)
    if type(value) is not int or not least <= value <= most:
        raise _wrong(f"{where}.{key}", f"a whole number, {least} to {most}")
    return value


def _wrong(where: str, wanted: str) -> LabError:
    return LabError(f"{where}: write {wanted}.", f"{where}：应为 {wanted}。")

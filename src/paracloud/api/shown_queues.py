"""What a queue is made of, as answers show it."""

from typing import TypedDict

from paracloud.dialects.records import QueueInfo


class Shape(TypedDict):
    name: str
    is_up: bool
    nodes: int
    cores: int
    free_cores: int
    cores_per_node: int
    memory_per_node_bytes: int
    gpus_per_node: int
    gpu_model: str | None
    max_wall_seconds: int | None
    max_nodes: int | None


def shape(one: QueueInfo) -> Shape:
    return Shape(
        name=one.name,
        is_up=one.is_up,
        nodes=one.nodes,
        cores=one.cores,
        free_cores=one.free_cores,
        cores_per_node=one.cores_per_node,
        memory_per_node_bytes=one.memory_per_node_bytes,
        gpus_per_node=one.gpus_per_node,
        gpu_model=one.gpu_model,
        max_wall_seconds=None if one.max_wall is None else int(one.max_wall.total_seconds()),
        max_nodes=one.max_nodes,
    )

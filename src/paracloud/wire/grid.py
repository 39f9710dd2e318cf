"""Centres and queues on the wire."""

from paracloud.wire.base import Model, Time


class CentreModel(Model):
    """`is_well` is null before the first round; from `sick_since` on it takes no new jobs, until it is well;
    `commands_per_minute` is the published budget. What it has is the operator's word: `licences` null where nothing is
    said of them, `trust` 0 to 5."""

    name: str
    title_en: str
    title_zh: str
    region: str
    dialect: str
    is_enabled: bool
    is_well: bool | None
    failing_since: Time | None
    sick_since: Time | None
    error_en: str | None
    error_zh: str | None
    commands_per_minute: int
    applications: list[str]
    licences: list[str] | None
    trust: int
    bytes_per_second: int | None


class CentreList(Model):
    items: list[CentreModel]


class QueueShape(Model):
    """What a queue is made of; `max_wall_seconds` and `max_nodes` are null where the centre sets no limit."""

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


class QueueModel(QueueShape):
    """Of one core-hour and one card-hour; null where there is no such price, and what needs one is not offered; also
    where it `differs` among the caller's projects: then ask for one of them."""

    centre: str
    core_hour: str | None
    card_hour: str | None
    rule: dict[str, object] | None
    """Where the price is a charging rule, which alone says what costs how much."""
    currency: str | None
    differs: bool
    seen_at: Time


class QueueList(Model):
    items: list[QueueModel]

"""A centre before it is connected, on the wire: its host key, what was found there, a job on trial."""

from typing import Annotated, Literal

from pydantic import Field

from paracloud.wire.account import CentreRequest
from paracloud.wire.base import Model, Text
from paracloud.wire.grid import QueueShape
from paracloud.wire.paying import Centre


class HostKeyRequest(Model):
    host: Text
    port: int = Field(22, ge=1, le=65535)


class HostKeyModel(Model):
    """What the machine shows now: to be held against what the centre says of it, by another way than the network."""

    host_key: str
    fingerprint: str


class SurveyRequest(Model):
    """`host_key`: the one that was vouched for."""

    name: Centre
    host: Text
    port: int = Field(22, ge=1, le=65535)
    host_key: Annotated[str, Field(max_length=2000)]
    service_account: Text
    accounts: list[Text] = Field(min_length=1, max_length=10_000)


class TrialRequest(SurveyRequest):
    """`accounts`: the first runs the job. It may wait for `patience_seconds`."""

    dialect: Text
    queue: Text
    patience_seconds: int = Field(120, ge=1, le=600)


class PlanRequest(CentreRequest):
    """How a centre is to be connected, before its machine is asked anything: the host key and the dialect may be left
    out. `test_account` runs the job on trial. `is_look`: it is only looked at."""

    host: Text
    service_account: Text
    test_account: Text
    is_look: bool = False


class FindingModel(Model):
    """missing: without it the centre cannot be connected. advice: it can, and something will hurt."""

    what: str
    level: Literal["well", "advice", "missing"]
    en: str
    zh: str


class SurveyedQueueModel(QueueShape):
    is_default: bool


class NodeTypeModel(Model):
    nodes: int
    cores: int
    memory_bytes: int
    gpus: int
    gpu_model: str | None
    queues: list[str]


class SurveyModel(Model):
    """`dialect`, `version`: null where no scheduler answered. `clock_ahead_seconds`: of the centre's clock before
    ours."""

    is_fit: bool
    findings: list[FindingModel]
    dialect: str | None
    version: str | None
    time_zone: str | None
    clock_ahead_seconds: float | None
    queues: list[SurveyedQueueModel]
    node_types: list[NodeTypeModel]


class TrialModel(Model):
    is_fit: bool
    findings: list[FindingModel]

"""What a centre offers, what a job needs, and why the two do not fit. Pure values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from paracloud.centres.centre import NOTHING_SAID, Provision
from paracloud.kit.identifiers import CentreName, PriceVersionId
from paracloud.kit.money import Money
from paracloud.placement.constraints import NOTHING_DEMANDED, Constraints
from paracloud.placement.prediction import Costs, Prediction

Reason = tuple[str, str]
"""In English and in Chinese."""
Unsaid = tuple[tuple[str, Reason], ...]
"""The schedulers, by the names of their dialects, that cannot be told what a job asks for, each with why not."""


class Objective(StrEnum):
    """How `choose` orders what fits."""

    CHEAPEST = "cheapest"
    SOONEST = "soonest"
    DEADLINE = "deadline"
    BALANCED = "balanced"


@dataclass(frozen=True, slots=True)
class Need:
    """What the job asks of one queue, `tasks_in_array` times over. None means that the user did not say."""

    cores: int
    wall_limit: timedelta
    cores_per_task: int = 1
    nodes: int | None = None
    tasks_per_node: int | None = None
    memory_per_node_bytes: int | None = None
    memory_per_core_bytes: int | None = None
    gpus_per_node: int = 0
    gpu_model: str | None = None
    least_cores_per_node: int = 1
    """What any node that it has must give it at least."""
    tasks_in_array: int = 1
    centre: CentreName | None = None
    queue: str | None = None
    only_centre: CentreName | None = None
    """Where the jobs that this one depends on are: a dependency cannot cross centres."""
    constraints: Constraints = NOTHING_DEMANDED
    unsaid: Unsaid = ()
    asked_at: datetime | None = None

    @property
    def least_nodes(self) -> int:
        return self.nodes if self.nodes is not None else 1

    @property
    def cores_on_a_node(self) -> int:
        """What one node must hold at least: a task, or as many as are asked for on each; or as many cores as each is to
        give."""
        return max((self.tasks_per_node or 1) * self.cores_per_task, self.least_cores_per_node)

    @property
    def memory_on_a_node_bytes(self) -> int:
        """0: the job asks for none."""
        if self.memory_per_node_bytes is not None:
            return self.memory_per_node_bytes
        return (self.memory_per_core_bytes or 0) * self.cores_on_a_node

    @property
    def time_left(self) -> timedelta:
        """Until the deadline. ValueError where there is none, or nobody knows from when on."""
        if self.constraints.deadline is None or self.asked_at is None:
            raise ValueError("there is no deadline")
        return self.constraints.deadline - self.asked_at


@dataclass(frozen=True, slots=True)
class Offer:
    """One queue of one centre as the last probe saw it, with its price. A limit of None: the centre sets none.
    `unavailable`: why the centre or the queue takes nothing now, as (English, Chinese); None where it does."""

    centre: CentreName
    queue: str
    nodes: int
    cores: int
    cores_per_node: int
    memory_per_node_bytes: int
    gpus_per_node: int
    gpu_model: str | None
    free_cores: int
    free_nodes: int
    free_gpus: int
    max_wall: timedelta | None
    max_nodes: int | None
    is_default: bool
    price: PriceVersionId | None
    most: Money | None
    """The most that the job can cost here; None where the queue has no price, and then it is not offered."""
    unavailable: Reason | None = None
    region: str = ""
    provision: Provision = NOTHING_SAID
    dialect: str = ""
    """Of the centre's scheduler."""
    moving: timedelta = timedelta(0)
    """How long the job's files take to get there, before it can be submitted."""
    prediction: Prediction | None = None
    """None: nobody foresees anything here."""
    cost: Costs | None = None
    """What it is expected to cost; None where nothing is foreseen."""

    @property
    def most_nodes(self) -> int:
        """That one job may have."""
        return self.nodes if self.max_nodes is None else min(self.nodes, self.max_nodes)

    @property
    def place(self) -> str:
        return f"{self.centre}/{self.queue}"

    def met_by_job(
        self,
        price: PriceVersionId,
        most: Money,
        moving: timedelta,
        *,
        prediction: Prediction | None = None,
        cost: Costs | None = None,
    ) -> "Offer":
        """The same queue with what it means to one job. Written out, for `dataclasses.replace` takes much longer."""
        return Offer(
            self.centre, self.queue, self.nodes, self.cores, self.cores_per_node, self.memory_per_node_bytes,
            self.gpus_per_node, self.gpu_model, self.free_cores, self.free_nodes, self.free_gpus, self.max_wall,
            self.max_nodes, self.is_default, price, most, self.unavailable, self.region, self.provision,
            self.dialect, moving, prediction, cost,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an offer is out, with what to change, for people."""

    centre: CentreName
    queue: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Choice:
    """`fitting` is in order of preference; the first is the chosen one."""

    fitting: tuple[Offer, ...]
    rejected: tuple[Rejection, ...]
    objective: Objective

"""Which offers can run the job at all. Every rule names what does not fit and what would."""

from collections.abc import Callable, Iterable

from paracloud.placement import constrain
from paracloud.placement.offer import Need, Offer, Reason, Rejection
from paracloud.placement.texts import clock

Rule = Callable[[Need, Offer], Reason | None]
GIB = 1024**3


def filter_offers(
    need: Need, offers: Iterable[Offer], rules: tuple[Rule, ...] | None = None
) -> tuple[list[Offer], list[Rejection]]:
    """Split offers into those that fit and those that do not, each of these with its first reason; by all rules where
    none are named."""
    fitting: list[Offer] = []
    rejected: list[Rejection] = []
    for offer in offers:
        reason = next((found for rule in rules or ALL if (found := rule(need, offer))), None)
        if reason is None:
            fitting.append(offer)
        else:
            rejected.append(Rejection(offer.centre, offer.queue, *reason))
    return fitting, rejected


def _wished_centre(need: Need, offer: Offer) -> Reason | None:
    if need.centre is not None and offer.centre != need.centre:
        return f"the job asks for the centre {need.centre}", f"作业指定了超算中心 {need.centre}"
    if need.only_centre is not None and offer.centre != need.only_centre:
        return (
            f"the job depends on a job at {need.only_centre}, and a dependency cannot cross centres",
            f"作业依赖 {need.only_centre} 上的作业，依赖关系不能跨超算中心",
        )
    return None


def _wished_queue(need: Need, offer: Offer) -> Reason | None:
    if need.queue is not None and offer.queue != need.queue:
        return f"the job asks for the partition {need.queue}", f"作业指定了分区 {need.queue}"
    return None


def _available(need: Need, offer: Offer) -> Reason | None:
    return offer.unavailable


def _priced(need: Need, offer: Offer) -> Reason | None:
    if offer.price is None or offer.most is None:
        return "it has no price, so it is not offered", "该分区没有价格，因此不提供"
    return None


def _wall(need: Need, offer: Offer) -> Reason | None:
    if offer.max_wall is not None and need.wall_limit > offer.max_wall:
        return (
            f"a time limit of {clock(need.wall_limit)} is above its maximum of {clock(offer.max_wall)}",
            f"时限 {clock(need.wall_limit)} 超过上限 {clock(offer.max_wall)}",
        )
    return None


def _nodes(need: Need, offer: Offer) -> Reason | None:
    if need.least_nodes > offer.most_nodes:
        return (
            f"{need.least_nodes} nodes are more than its {offer.most_nodes}",
            f"请求 {need.least_nodes} 个节点，超过上限 {offer.most_nodes} 个",
        )
    return None


def _cores(need: Need, offer: Offer) -> Reason | None:
    nodes = need.nodes if need.nodes is not None else offer.most_nodes
    most = min(offer.cores, nodes * offer.cores_per_node)
    if need.cores > most:
        where = (
            f"{nodes} nodes of {offer.cores_per_node} cores" if nodes * offer.cores_per_node == most else "all it has"
        )
        return (
            f"{need.cores} cores are more than {most} ({where})",
            f"请求 {need.cores} 核，超过可用的 {most} 核",
        )
    if need.cores_on_a_node > offer.cores_per_node:
        return (
            f"{need.cores_on_a_node} cores on one node are more than a node's {offer.cores_per_node}",
            f"单节点需要 {need.cores_on_a_node} 核，而每个节点只有 {offer.cores_per_node} 核",
        )
    return None


def _memory(need: Need, offer: Offer) -> Reason | None:
    wanted = need.memory_on_a_node_bytes
    if wanted > offer.memory_per_node_bytes:
        return (
            f"{wanted / GIB:.1f} GiB of memory on a node are more than its {offer.memory_per_node_bytes / GIB:.1f} GiB",
            f"每节点需要 {wanted / GIB:.1f} GiB 内存，而节点只有 {offer.memory_per_node_bytes / GIB:.1f} GiB",
        )
    return None


def _gpus(need: Need, offer: Offer) -> Reason | None:
    if need.gpus_per_node > offer.gpus_per_node:
        return (
            f"{need.gpus_per_node} GPUs on a node are more than its {offer.gpus_per_node}",
            f"每节点需要 {need.gpus_per_node} 张卡，而节点有 {offer.gpus_per_node} 张",
        )
    if need.gpu_model is not None and need.gpu_model != offer.gpu_model:
        has = offer.gpu_model or "none"
        return (
            f"the job asks for GPUs of model {need.gpu_model}, it has {has}",
            f"作业需要 {need.gpu_model} 卡，该分区为 {has}",
        )
    if need.gpus_per_node == 0 and offer.gpus_per_node > 0 and need.queue is None:
        return (
            "its nodes have GPUs, which the job does not use; name the partition to use it all the same",
            "该分区是 GPU 节点，而作业不使用 GPU；如确需使用请指定分区",
        )
    return None


RULES: tuple[Rule, ...] = (
    _wished_centre, _wished_queue, constrain.scheduler, constrain.region, constrain.residency, constrain.applications,
    constrain.licences, constrain.trust, _available, _priced, _wall, _nodes, _cores, _memory, _gpus,
    constrain.most_cost,
)  # fmt: skip
"""What is known without any prediction; first what no waiting mends."""
FORESEEN: tuple[Rule, ...] = (constrain.most_wait,)
ALL = RULES + FORESEEN

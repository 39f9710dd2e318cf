"""What a job asks of the place that it runs at. Pure."""

from dataclasses import replace
from datetime import datetime

from paracloud.dialects.resources import LICENCE
from paracloud.jobs.array import read_array
from paracloud.jobs.licences import read_licences
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.unsaid import unsaid
from paracloud.kit.identifiers import CentreName
from paracloud.placement.constraints import narrowed
from paracloud.placement.offer import Need


def need(
    spec: JobSpec,
    *,
    only_centre: CentreName | None = None,
    residency: frozenset[str] | None = None,
    asked_at: datetime | None = None,
) -> Need:
    """`residency`: the regions that the data of the job's project may be in, where they are restricted."""
    demands = spec.constraints
    if residency is not None:
        demands = replace(demands, residency=narrowed(demands, residency))
    if "licenses" in spec.extra:
        named = read_licences(spec.extra["licenses"])
        demands = replace(demands, licences=frozenset(one.removeprefix(LICENCE) for one in named))
    extra = spec.extra
    return Need(
        spec.tasks * spec.cores_per_task,
        spec.wall_limit,
        spec.cores_per_task,
        spec.nodes,
        spec.tasks_per_node,
        spec.memory_per_node_bytes,
        spec.memory_per_core_bytes,
        spec.gpus_per_node,
        spec.gpu_model,
        int(extra.get("mincpus", "1")) if extra else 1,
        tasks_in_array(spec),
        spec.centre,
        spec.queue,
        only_centre,
        demands,
        unsaid(spec),
        asked_at,
    )


def tasks_in_array(spec: JobSpec) -> int:
    return read_array(spec.array).tasks if spec.array else 1

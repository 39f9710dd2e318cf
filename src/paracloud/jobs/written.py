"""A JobSpec as JSON and back: how it is kept. The script is kept beside it, as text."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from paracloud.jobs.spec import Dependency, InputFile, JobSpec
from paracloud.kit.identifiers import BlobId, CentreName, JobId
from paracloud.kit.money import Money
from paracloud.placement.constraints import Constraints

_PLAIN = (
    "name", "tasks", "cores_per_task", "nodes", "tasks_per_node", "memory_per_node_bytes", "memory_per_core_bytes",
    "gpus_per_node", "gpu_model", "exclusive", "centre", "queue", "objective", "array", "output", "error",
    "requeue", "hold", "movable", "monitored",
)  # fmt: skip
"""Fields that JSON holds as they are."""


def write_spec(spec: JobSpec) -> dict[str, Any]:
    """What has its default's value is left out: most jobs set little."""
    default = JobSpec(name="", script="", wall_limit=spec.wall_limit)
    plain = {name: getattr(spec, name) for name in _PLAIN if getattr(spec, name) != getattr(default, name)}
    rest: dict[str, Any] = {
        "depends_on": [[one.kind, str(one.job)] for one in spec.depends_on],
        "environment": dict(spec.environment),
        "inputs": [[one.path, one.blob, one.size_bytes, one.is_executable] for one in spec.inputs],
        "extra": dict(spec.extra),
        "constraints": _write_constraints(spec.constraints),
    }
    filled = {name: value for name, value in rest.items() if value}
    return plain | filled | {"name": spec.name, "wall_limit_seconds": int(spec.wall_limit.total_seconds())}


def read_spec(written: dict[str, Any], script: str) -> JobSpec:
    plain = {name: written[name] for name in _PLAIN if name in written}
    if "centre" in plain:
        plain["centre"] = CentreName(plain["centre"])
    return JobSpec(
        script=script,
        wall_limit=timedelta(seconds=written["wall_limit_seconds"]),
        depends_on=tuple(Dependency(kind, JobId(UUID(job))) for kind, job in written.get("depends_on", ())),
        environment=written.get("environment", {}),
        inputs=tuple(
            InputFile(path, BlobId(blob), size, executable)
            for path, blob, size, executable in written.get("inputs", ())
        ),
        extra=written.get("extra", {}),
        constraints=_read_constraints(written.get("constraints", {})),
        **plain,
    )


def _write_constraints(of: Constraints) -> dict[str, Any]:
    tree = {
        "region": of.region,
        "residency": None if of.residency is None else sorted(of.residency),
        "applications": sorted(of.applications) or None,
        "least_trust": of.least_trust or None,
        "most_cost": None if of.most_cost is None else [of.most_cost.micro, of.most_cost.currency],
        "deadline": None if of.deadline is None else of.deadline.isoformat(),
        "most_wait_seconds": None if of.most_wait is None else int(of.most_wait.total_seconds()),
    }
    return {name: value for name, value in tree.items() if value is not None}


def _read_constraints(tree: dict[str, Any]) -> Constraints:
    return Constraints(
        region=tree.get("region"),
        residency=frozenset(tree["residency"]) if "residency" in tree else None,
        applications=frozenset(tree.get("applications", ())),
        least_trust=tree.get("least_trust", 0),
        most_cost=Money(*tree["most_cost"]) if "most_cost" in tree else None,
        deadline=datetime.fromisoformat(tree["deadline"]) if "deadline" in tree else None,
        most_wait=timedelta(seconds=tree["most_wait_seconds"]) if "most_wait_seconds" in tree else None,
    )

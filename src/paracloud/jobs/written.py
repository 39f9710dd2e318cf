"""A JobSpec as JSON and back: how it is kept. The script is kept beside it, as text."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from paracloud.jobs.spec import Dependency, InputFile, JobSpec
from paracloud.kit.identifiers import BlobId, CentreName, JobId

_PLAIN = (
    "name", "tasks", "cores_per_task", "nodes", "tasks_per_node", "memory_per_node_bytes", "memory_per_core_bytes",
    "gpus_per_node", "gpu_model", "exclusive", "centre", "queue", "objective", "array", "output", "error",
    "requeue", "hold", "movable",
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
        **plain,
    )

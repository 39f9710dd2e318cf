"""From a kept job to what a dialect needs to write its script."""

from collections.abc import Sequence

from paracloud.dialects.records import Request
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import JobId, NativeId, submit_tag


def work_directory(job: JobId) -> str:
    """Relative to the home of the project's account at the centre."""
    return f"paracloud/{job}"


LEAST_MEMORY_BYTES = 256 << 20
"""Of a job that is watched: the collector takes some 15 MiB of it."""


def request(
    job: JobId, spec: JobSpec, queue: str, depends_on: Sequence[tuple[str, NativeId]], *, is_held: bool, moves: int = 0
) -> Request:
    """`depends_on` are the dependencies that are still open, with native ids at the same centre; `moves`: how often the
    job was moved before it came to this one."""
    extra = dict(spec.extra)
    if depends_on:
        # Otherwise Slurm keeps a job whose dependency can never be satisfied in its queue for ever.
        extra.setdefault("kill-on-invalid-dep", "yes")
    return Request(
        tag=submit_tag(job, moves),
        name=spec.name,
        script=spec.script,
        work_directory=work_directory(job),
        queue=queue,
        tasks=spec.tasks,
        cores_per_task=spec.cores_per_task,
        wall_limit=spec.wall_limit,
        nodes=spec.nodes,
        tasks_per_node=spec.tasks_per_node,
        memory_per_node_bytes=spec.memory_per_node_bytes,
        memory_per_core_bytes=spec.memory_per_core_bytes,
        gpus_per_node=spec.gpus_per_node,
        gpu_model=spec.gpu_model,
        exclusive=spec.exclusive,
        array=spec.array,
        depends_on=tuple(depends_on),
        output=spec.output or ("slurm-%A_%a.out" if spec.array else "slurm-%j.out"),
        error=spec.error,
        environment=spec.environment,
        requeue=spec.requeue,
        hold=is_held,
        extra=extra,
        is_monitored=spec.monitored and _has_room(spec),
    )


def _has_room(spec: JobSpec) -> bool:
    """Where nothing is asked for, a queue gives more than that."""
    by_core = None if spec.memory_per_core_bytes is None else spec.memory_per_core_bytes * spec.cores_per_task
    asked = spec.memory_per_node_bytes if spec.memory_per_node_bytes is not None else by_core
    return asked is None or asked >= LEAST_MEMORY_BYTES

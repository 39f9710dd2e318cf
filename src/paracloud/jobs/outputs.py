"""Where a job's output stands in its work directory."""

from paracloud.data.paths import Execution, default_output, resolve_output
from paracloud.dialects.gridengine.arrays import job_number
from paracloud.jobs.show import JobDetail
from paracloud.kit.errors import Invalid


def output_of(found: JobDetail, stream: str, task: int | None) -> str:
    """The file's path, from the user's pattern or sbatch's own. `stream` is stdout or stderr; Invalid where an
    array's task is not named, or one of what is no array is."""
    spec, summary = found.spec, found.summary
    is_array = summary.array is not None
    if is_array and task is None:
        raise Invalid("task: name a task of the array.", "task：请指定作业数组中的任务编号。", field="task")
    if task is not None and not is_array:
        raise Invalid("task: this job is no array; leave it out.", "task：该作业不是作业数组，请勿指定。", field="task")
    pattern = spec.output or default_output(is_array=is_array)
    if stream == "stderr":
        pattern = spec.error or pattern
    record = next((one.record_id for one in found.tasks if one.task_index == task), summary.native_id) or ""
    execution = Execution(
        name=summary.name,
        native_id=job_number(record) if is_array else summary.native_id or "",
        array_id=summary.native_id or "",
        task_index=task if is_array else None,
        account=summary.account,
        node=summary.node_list.split(",")[0].split("[")[0],
    )
    return resolve_output(pattern, execution)

"""The numbers that jobs have as SLURM_JOB_ID and in names of outputs (%j, %A), whatever a scheduler's ids look like.

Slurm gives each task of an array a number of its own, of which users make scratch folders and ports. Where a scheduler
gives none it is the array's, with seven digits of the index behind it: the job's own prelude makes the same one."""

import re

from paracloud.kit.identifiers import NativeId

_ID = re.compile(r"(\d+)(?:\.(\d+)|\[(\d*)\])?(?:@\d+)?", re.ASCII)
"""4711, PBS's 4711[] and 4711[3], Grid Engine's 4711@1795466630 and 4711.3@1795466630."""


def job_number(record_id: NativeId) -> str:
    """Of a job, an array as a whole, or one of its tasks. What is no such id stays as it is."""
    found = _ID.fullmatch(record_id)
    if found is None:
        return record_id
    index = found[2] or found[3]
    return f"{found[1]}{int(index):07d}" if index else found[1]

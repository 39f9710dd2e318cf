"""Options of sbatch that go to a centre under their long names: what Grid Engine, or the job's own script, does for
each; the rest is refused by name."""

import re
from collections.abc import Iterator, Mapping

from paracloud.dialects.batch_script import require
from paracloud.dialects.records import Request
from paracloud.kit.errors import Unsupported

BY_THE_SCRIPT = frozenset({"comment", "kill-on-invalid-dep", "open-mode", "signal"})
_BEGIN = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
_SIGNAL = re.compile(r"(?:([B]):)?(?:SIG)?([A-Z0-9]{1,16})(?:@(\d{1,5}))?", re.ASCII)
_WARNING_SECONDS = 60
"""sbatch's own, where no time is named."""
_LOWEST_PRIORITY = 1023


def options(extra: Mapping[str, str]) -> Iterator[str]:
    """Of qsub."""
    for name in sorted(extra):
        value = extra[name]
        if name == "nice" and (value == "" or value.isdigit()):
            yield f"-p -{min(int(value or 100), _LOWEST_PRIORITY)}"
        elif name == "begin" and (time := _BEGIN.fullmatch(value)):
            # Both are the centre's local time.
            year, month, day, hour, minute, second = time.groups()
            yield f"-a {year}{month}{day}{hour}{minute}.{second or '00'}"
        elif name not in BY_THE_SCRIPT or (name == "kill-on-invalid-dep" and value != "yes"):
            raise unsupported(name)
        else:
            require(value.isprintable(), name, "one line without control characters")


def warning(request: Request) -> str:
    """--signal: when, how far and by which name the script is to be told; empty where it is not."""
    text = request.extra.get("signal")
    if text is None:
        return ""
    match = _SIGNAL.fullmatch(text)
    if not match:
        raise unsupported("signal")
    before = int(match[3] or _WARNING_SECONDS)
    after = max(int(request.wall_limit.total_seconds()) - before, 0)
    return f"{after} {'batch' if match[1] else 'steps'} {match[2]}"


def unsupported(option: str) -> Unsupported:
    return Unsupported(
        f"--{option} cannot be said to this centre's Grid Engine; remove it or choose a centre with Slurm.",
        f"--{option} 无法转达给该中心的 Grid Engine，请删除，或选择使用 Slurm 的超算中心。",
        field=option,
    )

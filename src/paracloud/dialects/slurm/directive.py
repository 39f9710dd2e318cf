"""One `#SBATCH` line: a value is quoted so that sbatch reads exactly it, or the request is refused.

sbatch (src/sbatch/opt.c, 22.05) splits a directive at blanks, honours single and double quotes, takes a backslash as
an escape everywhere, and ends the line at an unquoted `#`. Its buffer for one word holds 8 KiB.
"""

import re
from itertools import takewhile

from paracloud.kit.errors import Invalid, Unsupported

VALUE_LIMIT_BYTES = 2048
_PLAIN = re.compile(r"[A-Za-z0-9_./:,=%@+~\[\]-]*")
_PLACE = re.compile(r"#SBATCH (?:--(chdir|output|error)=(\S*)|\"--(chdir|output|error)=(.*)\")")

PASSED_THROUGH = frozenset(
    {
        *("account", "acctg-freq", "begin", "comment", "constraint", "contiguous"),
        *("cores-per-socket", "cpu-freq", "deadline", "delay-boot", "distribution", "exclude", "extra-node-info"),
        *("gpu-bind", "gpu-freq", "hint", "kill-on-invalid-dep", "licenses", "mail-type", "mail-user", "mem-bind"),
        *("mincpus", "nice", "no-kill", "nodelist", "ntasks-per-core", "ntasks-per-socket"),
        *("open-mode", "overcommit", "prefer", "profile", "propagate", "qos", "reservation"),
        *("signal", "sockets-per-node", "switches", "threads-per-core", "time-min", "tmp"),
        *("use-min-nodes", "wckey"),
    }
)
"""Options of sbatch that change nothing the platform relies on: not the name, the place, the output or the answer, nor
what is given beyond what was counted (jobs/most_given.py)."""


def directive(option: str, value: str = "") -> str:
    """The line for one long option; an empty value is an option that takes none."""
    word = f"--{option}={value}" if value else f"--{option}"
    if not value.isprintable() or len(value.encode(errors="replace")) > VALUE_LIMIT_BYTES:
        raise Invalid(
            f"--{option} may hold at most {VALUE_LIMIT_BYTES} bytes and no line break or control character.",
            f"--{option} 最多 {VALUE_LIMIT_BYTES} 字节，且不能含换行或控制字符。",
            field=option,
        )
    if _PLAIN.fullmatch(value):
        return f"#SBATCH {word}"
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'#SBATCH "{escaped}"'


def passed_through(option: str, value: str) -> str:
    if option not in PASSED_THROUGH:
        raise Unsupported(
            f"--{option} cannot be passed to this centre's Slurm; remove it.",
            f"--{option} 不能传给该中心的 Slurm，请删除。",
            field=option,
        )
    return directive(option, value)


def folders_of(script: str) -> list[str]:
    """The folders that a script of ours needs before it starts: its work directory, and below it those that its outputs
    go to. Slurm would fail the job where one is missing. A folder named by a pattern is not known here, and left out.
    ValueError for any other script."""
    lines = takewhile(lambda line: line.startswith("#"), script.split("\n"))
    matches = [match for line in lines if (match := _PLACE.fullmatch(line))]
    found = {one[1] or one[3]: one[2] or re.sub(r"\\(.)", r"\1", one[4] or "") for one in matches}
    if "chdir" not in found:
        raise ValueError("the script names no work directory: make it with script()")
    parents = [found[name].rpartition("/")[0] for name in ("output", "error") if name in found]
    below = [folder for folder in dict.fromkeys(parents) if folder and "%" not in folder and folder != "/dev"]
    return [found["chdir"], *(f"{found['chdir']}/{folder}" for folder in below)]

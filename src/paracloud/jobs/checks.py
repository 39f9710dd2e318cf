"""Rules for the free texts of a job: names, paths, variables, dependencies. What is harmless is allowed."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from uuid import UUID

from paracloud.data.paths import is_inside
from paracloud.jobs.notice import Notice
from paracloud.jobs.quantities import count
from paracloud.jobs.spec import Dependency, InputFile
from paracloud.kit.errors import Invalid, TooLarge, Unsupported
from paracloud.kit.identifiers import JobId

NAME_LIMIT = 200
CORES_PER_NODE_MOST = 1_000_000
VALUE_LIMIT_BYTES = 2048
INPUTS_MOST = 10_000
INPUTS_LIMIT_BYTES = 1 << 50
"""Of all of a job's together; their way to the slowest centre there can be is a number that everything holds then."""
VARIABLES_LIMIT_BYTES = 64 * 1024
DEPENDENCIES_MOST = 100
DEPENDENCY_KINDS = ("after", "afterok", "afternotok", "afterany")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_OURS = re.compile(r"(PARACLOUD|SLURM|SBATCH)_|(BASHOPTS|BASH_VERSINFO|EUID|PPID|SHELLOPTS|UID)$")
_BLOB = re.compile(r"[0-9a-f]{64}")
_JOB = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def check_name(name: str) -> str:
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise Invalid(
            f"A job's name must be 1 to {NAME_LIMIT} characters on one line, without control characters.",
            f"作业名必须是 1 到 {NAME_LIMIT} 个字符，写在一行内，不含控制字符。",
            field="job-name",
        )
    return name


def check_word(option: str, text: str) -> str:
    if not _WORD.fullmatch(text):
        raise Invalid(
            f"--{option} must be one word of letters, digits, '.', '-' and '_', not {text[:40]!a}.",
            f"--{option} 只能是一个由字母、数字、.、- 和 _ 组成的词，而不是 {text[:40]!a}。",
            field=option,
        )
    return text


def check_passed(option: str, text: str) -> str:
    """For an option that goes to the scheduler as it is."""
    if not text.isprintable() or len(text.encode()) > VALUE_LIMIT_BYTES:
        raise Invalid(
            f"--{option} must be one line of at most {VALUE_LIMIT_BYTES} bytes, without control characters.",
            f"--{option} 必须写在一行内，最多 {VALUE_LIMIT_BYTES} 字节，不含控制字符。",
            field=option,
        )
    if option == "mincpus":
        count(option, text, most=CORES_PER_NODE_MOST)
    if option in {"constraint", "prefer"} and "*" in text:
        raise Unsupported(
            f"--{option}: a number of nodes with a feature (*) may be more nodes than the job holds for; name the "
            "feature alone.",
            f"--{option}：为特性指定节点数（*）可能超出作业冻结费用所按的节点数；请只写特性。",
            field=option,
        )
    return text


def check_output(option: str, pattern: str) -> str:
    """A file name pattern inside the work directory, or /dev/null."""
    if pattern != "/dev/null" and ("\\" in pattern or not is_inside(pattern)):
        raise Invalid(
            f"--{option} must be a path inside the job's work directory, such as logs/%x-%j.out, without '..', "
            f"backslashes or control characters; or /dev/null.",
            f"--{option} 必须是作业工作目录内的相对路径，例如 logs/%x-%j.out，"
            f"不含 ..、反斜杠或控制字符；或者 /dev/null。",
            field=option,
        )
    return pattern


def check_inputs(inputs: Sequence[InputFile]) -> tuple[InputFile, ...]:
    if len(inputs) > INPUTS_MOST:
        raise TooLarge(
            f"{len(inputs)} input files; the limit is {INPUTS_MOST}: pack them into an archive.",
            f"共 {len(inputs)} 个输入文件，上限为 {INPUTS_MOST}：请打包成归档文件。",
            field="inputs",
        )
    if (size := sum(one.size_bytes for one in inputs)) > INPUTS_LIMIT_BYTES:
        raise TooLarge(
            f"The input files have {size} bytes together; the limit is {INPUTS_LIMIT_BYTES} (1 PiB): leave out what "
            "the job does not read.",
            f"输入文件共 {size} 字节，上限为 {INPUTS_LIMIT_BYTES}（1 PiB）：请去掉作业不读取的文件。",
            field="inputs",
        )
    paths = {one.path for one in inputs}
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    for one in inputs:
        if not is_inside(one.path) or not _BLOB.fullmatch(one.blob) or one.size_bytes < 0:
            raise Invalid(
                f"The input {one.path[:80]!a} must be a relative path without '..' or control characters, and name an "
                f"uploaded file by its SHA-256.",
                f"输入文件 {one.path[:80]!a} 必须是不含 .. 和控制字符的相对路径，并以 SHA-256 指明已上传的文件。",
                field="inputs",
            )
    if len(paths) < len(inputs) or paths & folders:
        raise Invalid(
            "Two input files have the same path, or one is where another's folder must be: rename one.",
            "两个输入文件路径相同，或一个文件占用了另一个所需的目录：请重命名。",
            field="inputs",
        )
    return tuple(inputs)


def check_environment(environment: Mapping[str, str]) -> dict[str, str]:
    size = 0
    for name, text in environment.items():
        if not _VARIABLE.fullmatch(name) or _OURS.match(name):
            raise Invalid(
                f"{name[:60]!a} cannot be set: a variable's name has letters, digits and '_', and does not begin with "
                f"SLURM_, SBATCH_ or PARACLOUD_.",
                f"不能设置变量 {name[:60]!a}：变量名只含字母、数字和 _，且不能以 SLURM_、SBATCH_ 或 PARACLOUD_ 开头。",
                field="environment",
            )
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise Invalid(f"The variable {name} must be text.", f"变量 {name} 的值必须是文本。", field="environment")
        size += len(name) + len(text.encode())
    if size > VARIABLES_LIMIT_BYTES:
        raise TooLarge(
            f"The environment has {size} bytes; the limit is {VARIABLES_LIMIT_BYTES}.",
            f"环境变量共 {size} 字节，上限为 {VARIABLES_LIMIT_BYTES}。",
            field="environment",
        )
    return dict(environment)


def read_export(text: str, notices: list[Notice]) -> dict[str, str]:
    """--export: NAME=value pairs are kept; the environment where the job is submitted never travels to a centre."""
    words = [word for word in text.split(",") if word]
    notices.extend(
        Notice(
            "export",
            f"--export={word[:60]!a}: variables of your machine are not carried to the centre; write NAME=value.",
            f"--export={word[:60]!a}：本机的环境变量不会带到超算中心，请写成 NAME=value。",
        )
        for word in words
        if "=" not in word and word not in ("ALL", "NONE", "NIL")
    )
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def read_dependencies(text: str) -> tuple[Dependency, ...]:
    """--dependency=afterok:ID[:ID…][,kind:ID…], where an ID is a job's of the platform."""
    found = [
        Dependency(kind, JobId(UUID(job)))
        for part in (text.split(",") if text else [])
        for kind, _, jobs in [part.partition(":")]
        for job in (jobs.split(":") if kind in DEPENDENCY_KINDS else [""])
        if _is_job(job, text)
    ]
    if len(found) > DEPENDENCIES_MOST:
        raise TooLarge(
            f"{len(found)} dependencies; the limit is {DEPENDENCIES_MOST}.",
            f"共 {len(found)} 个依赖，上限为 {DEPENDENCIES_MOST}。",
            field="dependency",
        )
    return tuple(dict.fromkeys(found))


def _is_job(job: str, text: str) -> bool:
    if _JOB.fullmatch(job):
        return True
    raise Invalid(
        f"--dependency must be {', '.join(DEPENDENCY_KINDS)} and the platform's job ids, such as "
        f"afterok:ID:ID,afterany:ID, not {text[:60]!a}.",
        f"--dependency 必须是 {'、'.join(DEPENDENCY_KINDS)} 加平台的作业编号，例如 afterok:ID:ID,afterany:ID，"
        f"而不是 {text[:60]!a}。",
        field="dependency",
    )

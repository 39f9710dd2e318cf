"""The options of sbatch (man sbatch, 22.05), and what the platform does with each of them."""

import difflib
from dataclasses import dataclass
from enum import StrEnum

from paracloud.kit.errors import Invalid


class Takes(StrEnum):
    """Whether an option has a value; an optional one is only ever written as --name=value."""

    NOTHING = "nothing"
    PERHAPS = "perhaps"
    VALUE = "value"


class Use(StrEnum):
    HONOURED = "honoured"
    """Becomes a field of the job."""
    PASSED = "passed"
    """Goes to the centre's scheduler as it is."""
    IGNORED = "ignored"
    """Has no effect here, and the user is told so."""
    SILENT = "silent"
    """Concerns only what sbatch itself prints."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Directive:
    """`en` and `zh` say why an ignored or refused option is so, and what to do instead."""

    name: str
    use: Use
    short: str = ""
    takes: Takes = Takes.VALUE
    en: str = ""
    zh: str = ""


def find(name: str) -> Directive:
    """By its long name or an unambiguous beginning of it, as getopt_long does; Invalid by name otherwise."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    begin = [full for full in _BY_NAME if full.startswith(name)] if name else []
    if len(begin) == 1:
        return _BY_NAME[begin[0]]
    near = begin or difflib.get_close_matches(name, _BY_NAME, n=2, cutoff=0.6)
    raise _unknown(f"--{name}", [f"--{one}" for one in near])


def find_short(letter: str) -> Directive:
    if letter in _BY_LETTER:
        return _BY_LETTER[letter]
    raise _unknown(f"-{letter}", [f"-{letter.swapcase()}"] if letter.swapcase() in _BY_LETTER else [])


def _unknown(option: str, near: list[str]) -> Invalid:
    en = f"; did you mean {' or '.join(near[:4])}?" if near else "; remove it."
    zh = f"，是否想写 {' 或 '.join(near[:4])}？" if near else "，请删除。"
    shown = option[:60].encode("unicode_escape").decode() if not option.isprintable() else option[:60]
    return Invalid(f"sbatch knows no option {shown}{en}", f"sbatch 没有选项 {shown}{zh}", field=option.lstrip("-")[:60])


def _all(use: Use, words: str, takes: Takes = Takes.VALUE) -> tuple[Directive, ...]:
    """Words such as "qos/q": a long name and its letter."""
    return tuple(
        Directive(name, use, short, takes) for name, _, short in (word.partition("/") for word in words.split())
    )


def _why(use: Use, words: str, en: str, zh: str, takes: Takes = Takes.VALUE) -> tuple[Directive, ...]:
    return tuple(Directive(one.name, use, one.short, takes, en, zh) for one in _all(use, words, takes))


DIRECTIVES: tuple[Directive, ...] = (
    *_all(
        Use.HONOURED,
        "job-name/J partition/p ntasks/n nodes/N cpus-per-task/c ntasks-per-node tasks-per-node mem mem-per-cpu gpus/G "
        "gpus-per-node gpus-per-task gres time/t output/o error/e array/a dependency/d",
    ),
    *_all(Use.HONOURED, "exclusive export", Takes.PERHAPS),
    *_all(Use.HONOURED, "requeue no-requeue hold/H", Takes.NOTHING),
    *_all(
        Use.PASSED,
        "qos/q constraint/C cluster-constraint reservation begin/b deadline signal comment licenses/L nodelist/w "
        "exclude/x distribution/m hint mem-bind cpu-freq mincpus tmp switches threads-per-core cores-per-socket "
        "sockets-per-node ntasks-per-core ntasks-per-socket extra-node-info/B open-mode delay-boot time-min "
        "gpu-bind gpu-freq prefer acctg-freq profile kill-on-invalid-dep",
    ),
    *_all(Use.PASSED, "nice no-kill/k propagate", Takes.PERHAPS),
    *_all(Use.PASSED, "contiguous overcommit/O spread-job use-min-nodes", Takes.NOTHING),
    *_all(Use.SILENT, "quiet/Q verbose/v ignore-pbs", Takes.NOTHING),
    *_all(Use.SILENT, "parsable", Takes.PERHAPS),
    *_why(
        Use.IGNORED,
        "account/A wckey",
        "the bill goes to the project that submits the job",
        "费用记到提交作业的项目",
    ),
    *_why(
        Use.IGNORED,
        "mail-type mail-user",
        "the centre sends no mail for the platform's jobs; see paracloud show",
        "超算中心不为平台作业发送邮件，请用 paracloud show 查看",
    ),
    *_why(
        Use.IGNORED,
        "chdir/D workdir",
        "the job runs in a work directory of its own, where its input files are",
        "作业在自己的工作目录中运行，输入文件就在那里",
    ),
    *_why(
        Use.IGNORED,
        "get-user-env",
        "the job starts with the environment of a login at the centre",
        "作业使用超算中心登录时的环境变量",
        Takes.PERHAPS,
    ),
    *_why(
        Use.IGNORED,
        "wait/W",
        "the submission returns at once; use paracloud wait",
        "提交立即返回，请用 paracloud wait 等待",
        Takes.NOTHING,
    ),
    *_why(
        Use.REFUSED,
        "clusters/M cluster",
        "name the centre when submitting (--centre) instead",
        "请在提交时用 --centre 指定超算中心",
    ),
    *_why(
        Use.REFUSED,
        "wrap uid gid export-file nodefile/F input/i bb bbf container context mcs-label power priority core-spec/S "
        "thread-spec network batch",
        "the platform cannot honour it at a centre; remove it",
        "平台无法在超算中心执行该选项，请删除",
    ),
    *_why(
        Use.REFUSED,
        "gpus-per-socket cpus-per-gpu mem-per-gpu ntasks-per-gpu ntasks-per-tres gres-flags",
        "say it by --gpus-per-node, --cpus-per-task and --mem",
        "请改用 --gpus-per-node、--cpus-per-task 与 --mem",
    ),
    *_why(
        Use.REFUSED,
        "oversubscribe/s reboot test-only wait-all-nodes help/h usage version/V",
        "it has no meaning for a job of the platform; remove it",
        "该选项对平台作业没有意义，请删除",
        Takes.PERHAPS,
    ),
)
_BY_NAME = {one.name: one for one in DIRECTIVES}
_BY_LETTER = {one.short: one for one in DIRECTIVES if len(one.short) == 1}

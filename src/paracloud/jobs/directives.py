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
    """Goes to the centre's scheduler as it is: it cannot raise what the job is given."""
    COUNTED = "counted"
    """Goes there too: `most_given` counts what it can raise, so the hold covers it."""
    IGNORED = "ignored"
    """Has no effect here, and the user is told so."""
    SILENT = "silent"
    """Concerns only what sbatch itself prints."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Directive:
    """`en` and `zh` say why: of what is passed, that it cannot raise cores, nodes, memory, cards, licences or time; of
    what is ignored or refused, what to do instead."""

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


_PRICED = ("the price is that of the quality of service", "价格按该 QOS 计")
_WHICH = ("it says which nodes may be taken, not how many", "只限定可用哪些节点，不改变数量")
_WHEN = ("it says when the job starts and goes on, within its limit", "只影响作业何时开始与是否继续，不超过时限")
_HOW = ("it says how the job uses what it is given", "只影响作业如何使用已分配的资源")
_NO_RESOURCE = ("it concerns no resource", "与资源无关")

DIRECTIVES: tuple[Directive, ...] = (
    *_all(
        Use.HONOURED,
        "job-name/J partition/p ntasks/n nodes/N cpus-per-task/c ntasks-per-node tasks-per-node mem mem-per-cpu gpus/G "
        "gpus-per-node gpus-per-task gres time/t output/o error/e array/a dependency/d",
    ),
    *_all(Use.HONOURED, "exclusive export", Takes.PERHAPS),
    *_all(Use.HONOURED, "requeue no-requeue hold/H", Takes.NOTHING),
    *_why(Use.PASSED, "qos/q", *_PRICED),
    *_why(Use.PASSED, "constraint/C prefer reservation exclude/x switches tmp delay-boot", *_WHICH),
    *_why(Use.PASSED, "contiguous use-min-nodes", *_WHICH, Takes.NOTHING),
    *_why(Use.PASSED, "begin/b deadline time-min kill-on-invalid-dep", *_WHEN),
    *_why(Use.PASSED, "nice no-kill/k", *_WHEN, Takes.PERHAPS),
    *_why(Use.PASSED, "distribution/m mem-bind gpu-bind cpu-freq gpu-freq", *_HOW),
    *_why(Use.PASSED, "overcommit/O", *_HOW, Takes.NOTHING),
    *_why(Use.PASSED, "signal comment open-mode acctg-freq profile", *_NO_RESOURCE),
    *_why(Use.PASSED, "propagate", *_NO_RESOURCE, Takes.PERHAPS),
    *_all(
        Use.COUNTED,
        "licenses/L nodelist/w mincpus hint threads-per-core ntasks-per-core ntasks-per-socket cores-per-socket "
        "sockets-per-node extra-node-info/B",
    ),
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
        "spread-job",
        "it may take more nodes than can be foreseen; say --nodes and --ntasks-per-node",
        "可能占用无法预知的节点数；请改用 --nodes 与 --ntasks-per-node",
        Takes.NOTHING,
    ),
    *_why(
        Use.REFUSED,
        "clusters/M cluster cluster-constraint",
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

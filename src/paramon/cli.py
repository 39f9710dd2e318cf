"""The command line of paramon."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from paramon import VERSION
from paramon.begin import Wish
from paramon.errors import Refused, is_chinese, printable, said
from paramon.perf.job import AUTO, OFF
from paramon.run import run
from paramon.sample.errors import Damaged
from paramon.schedulers import SCHEDULERS, is_in_job, job_here
from paramon.streams import with_streams, write_no_more
from paramon.watch import watch

SHORTEST, LONGEST = 0.1, 60.0
TOP_USAGE = "paramon top [options] [PROFILE | --pid PID | [--folder FOLDER] -- COMMAND …]"

MARK_HELP = (
    "so in the environment: it belongs to it, too; without --pid and --scheduler it waits for the first such process, "
    "and ends a minute after the last"
)


def main(arguments: Sequence[str] | None = None) -> int:
    has_output = with_streams()
    given, command = _split(list(sys.argv[1:] if arguments is None else arguments))
    asked = _parser().parse_args(given, argparse.Namespace(trouble=2))
    if command:
        asked.command = command  # of `top`, which has none otherwise
    try:
        if asked.does in (_show, _top, _export) and not has_output:
            raise Refused("Standard output is closed: there is nowhere to write to.", "标准输出已关闭，无处可写。")
        return int(asked.does(asked))
    except (Refused, Damaged) as wrong:
        sys.stderr.write(said(wrong.en, wrong.zh))
    except BrokenPipeError:
        write_no_more()  # who read on has enough
        return 0
    except OSError as wrong:
        write_no_more()
        place = "" if wrong.filename is None else f"{wrong.filename}: "  # standard output has no name
        sys.stderr.write(f"paramon: {printable(place)}{wrong.strerror or wrong}\n")
    return int(asked.trouble)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What stands behind `--` is somebody else's command line. (`run` takes all that follows its own options.)"""
    if arguments[:1] != ["top"] or "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _run(asked: argparse.Namespace) -> int:
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if not command:
        raise Refused("Say what to run: paramon run -- ./a.out", "请给出要运行的命令：paramon run -- ./a.out")
    return run(command, _wish(asked), may_go_without=is_in_job(os.environ))


def _watch(asked: argparse.Namespace) -> int:
    if not asked.pid and "=" not in asked.mark:
        raise Refused(
            "Say what to watch: --pid PID, or --mark NAME=VALUE.", "请指定采集对象：--pid PID 或 --mark NAME=VALUE。"
        )
    if not asked.pid:
        asked.trouble = 0
    return watch(asked.pid, asked.mark, _wish(asked), asked.scheduler)


def _wish(asked: argparse.Namespace) -> Wish:
    return Wish(asked.folder, asked.period, asked.budget / 100, asked.job, asked.node, asked.mpi)


def _show(asked: argparse.Namespace) -> int:
    from paramon.show.command import show  # who runs a command needs neither its time nor its memory

    show(asked.profile, is_json=asked.json, is_chinese=is_chinese(asked.language))
    return 0


def _top(asked: argparse.Namespace) -> int:
    from paramon.top.command import Wanted, top  # as above

    return top(
        Wanted(
            asked.profile, asked.pid, asked.command, asked.at, asked.every, asked.period, asked.budget / 100,
            asked.once, asked.plain, is_chinese(asked.language), asked.folder,
        )
    )  # fmt: skip


def _export(asked: argparse.Namespace) -> int:
    from paramon.export.command import Wanted, export  # as above

    wanted = Wanted(asked.profile, asked.kind, asked.out, asked.table, asked.dense, asked.force)
    for path in export(wanted):
        sys.stderr.write(f"{path}\n")
    return 0


def _agent(asked: argparse.Namespace) -> int:
    from paramon.agent.command import Wanted, agent  # as above

    return agent(
        Wanted(asked.listen, asked.folder, asked.period, asked.budget / 100, asked.node, asked.per_process, asked.days)
    )


class _Parser(argparse.ArgumentParser):
    """Help as wide as the terminal. Asked for its width by itself, argparse imports shutil for that, and with it half a
    MiB of compressors: not for help alone, but for each option that it is told of."""

    def __init__(self, **known: Any) -> None:  # noqa: ANN401  # argparse's own
        super().__init__(formatter_class=_formatter, **known)


def _formatter(prog: str) -> argparse.HelpFormatter:
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = 80
    return argparse.HelpFormatter(prog, width=columns - 2)


def _parser() -> _Parser:
    parser = _Parser(prog="paramon", description="See what a job does, for almost nothing.")
    parser.add_argument("--version", action="version", version=VERSION)
    words = parser.add_subparsers(required=True, metavar="run | watch | show | top | export | agent")
    profile = _of_a_profile()
    one = words.add_parser("run", parents=[profile], help="run a command and write its profile")
    one.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    one.set_defaults(does=_run)
    one = words.add_parser("watch", parents=[profile], help="write the profile of what runs already")
    one.add_argument("--pid", type=_pid, default=0, help="the process: with all that it starts, until it ends")
    one.add_argument("--mark", default="", metavar="NAME=VALUE", help=MARK_HELP)
    one.add_argument("--scheduler", choices=tuple(SCHEDULERS), default="", help="on the job's other nodes, too")
    one.set_defaults(does=_watch)
    one = words.add_parser("show", help="what a profile says")
    one.add_argument("profile", help="a file, or a folder of them")
    one.add_argument("--json", action="store_true", help="all of it, as JSON")
    _language(one)
    one.set_defaults(does=_show)
    one = words.add_parser("top", help="what a job does, as it does it or later", usage=TOP_USAGE)
    one.add_argument("profile", nargs="?", default="", help="a file, or a folder of them (./paramon)")
    one.add_argument("--pid", type=_pid, default=0, help="look at a process that runs, and at its children")
    one.add_argument("--folder", default="", help="where the profile of a command goes (./paramon)")
    one.add_argument("--at", default="", metavar="TIME", help="seconds or [h:]m:s since the start, or a date and time")
    one.add_argument("--every", type=_every, default=1.0, help="seconds from one drawing to the next, 0.2 to 3600 (1)")
    one.add_argument("--once", action="store_true", help="one page, and that is all")
    one.add_argument("--plain", action="store_true", help="without rich, even if it is installed")
    _looks(one)
    _language(one)
    one.set_defaults(does=_top, command=[])
    one = words.add_parser("export", help="a profile as tables, for other programs")
    kinds = one.add_mutually_exclusive_group(required=True)
    for kind, text in (("csv", "with a head"), ("jsonl", "a JSON object a row"), ("parquet", "needs duckdb")):
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=text)
    one.add_argument("profile", help="a file, or a folder of them")
    one.add_argument("-o", dest="out", default="", metavar="OUT", help="processes go there, series beside it")
    one.add_argument("--table", choices=("processes", "series"), default="processes", help="which, without -o")
    one.add_argument("--dense", action="store_true", help="a row at each tick, even where nothing changed")
    one.add_argument("--force", action="store_true", help="write over what is there")
    one.set_defaults(does=_export)
    _agent_options(words.add_parser("agent", help="all that a node does, as metrics for Prometheus"))
    return parser


def _agent_options(one: argparse.ArgumentParser) -> None:
    one.add_argument("--listen", default="127.0.0.1:9101", metavar="ADDRESS:PORT", help="(127.0.0.1:9101)")
    one.add_argument("--folder", default="", help="where profiles of the whole node go (none is written)")
    one.add_argument("--days", type=_days, default=7, help="of them so many are kept, a file each, 1 to 3660 (7)")
    one.add_argument("--node", default="", help="this node's name in that (the machine's own)")
    one.add_argument("--per-process", action="store_true", help="series of each process, too: they are many")
    _looks(one)
    one.set_defaults(does=_agent)


def _of_a_profile() -> _Parser:
    known = os.environ.get
    parser = _Parser(add_help=False)
    parser.add_argument("--folder", default="paramon", help="where the profile goes (./paramon)")
    parser.add_argument("--period", type=_period, default=1.0, help="seconds from one look to the next, 0.1 to 60 (1)")
    parser.add_argument("--budget", type=_budget, default=0.5, help="per cent of a core that it may take (0.5)")
    parser.add_argument("--job", default=job_here(os.environ), help="its id")
    parser.add_argument("--mpi", choices=(AUTO, OFF), default=AUTO, help="sample where ranks of MPI spend time (auto)")
    parser.add_argument("--node", default=known("SLURMD_NODENAME") or "", help="this node's name, for the scheduler")
    return parser


def _looks(one: argparse.ArgumentParser) -> None:
    one.add_argument("--period", type=_period, default=1.0, help="seconds from one look to the next, 0.1 to 60 (1)")
    one.add_argument("--budget", type=_budget, default=0.5, help="per cent of a core that it may take (0.5)")


def _pid(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r}: say the number of a process")
    return int(text)


def _every(text: str) -> float:
    return _between(text, 0.2, 3600, "seconds")


def _period(text: str) -> float:
    return _between(text, SHORTEST, LONGEST, "seconds")


def _budget(text: str) -> float:
    return _between(text, 0.01, 100.0, "per cent of a core")


def _days(text: str) -> int:
    return int(_between(text, 1, 3660, "days"))


def _between(text: str, least: float, most: float, unit: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r}: say {least:g} to {most:g} {unit}")
    return value


def _language(one: argparse.ArgumentParser) -> None:
    one.add_argument("--language", choices=("en", "zh"), default="", help="of the page (that of the terminal)")

"""The command line of paramon."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from paramon import VERSION
from paramon.begin import Wish
from paramon.errors import Refused
from paramon.run import run
from paramon.sample.errors import Damaged
from paramon.show import show
from paramon.watch import watch

SHORTEST, LONGEST = 0.1, 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.does(asked))
    except (Refused, Damaged) as wrong:
        sys.stderr.write(f"paramon: {wrong.en}\n{wrong.zh}\n" if _is_chinese() else f"paramon: {wrong.en}\n")
    except OSError as wrong:
        sys.stderr.write(f"paramon: {wrong.filename or ''}: {wrong.strerror}\n")
    return 2


def _run(asked: argparse.Namespace) -> int:
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if not command:
        raise Refused("Say what to run: paramon run -- ./a.out", "请给出要运行的命令：paramon run -- ./a.out")
    return run(command, _wish(asked))


def _watch(asked: argparse.Namespace) -> int:
    name, _, value = asked.mark.partition("=")
    return watch(asked.pid, (os.fsencode(name), os.fsencode(value)), _wish(asked))


def _wish(asked: argparse.Namespace) -> Wish:
    return Wish(asked.folder, asked.period, asked.budget / 100, asked.job, asked.node)


def _show(asked: argparse.Namespace) -> int:
    sys.stdout.write(show(asked.profile))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="paramon", description="See what a job does, for almost nothing.")
    parser.add_argument("--version", action="version", version=VERSION)
    words = parser.add_subparsers(required=True, metavar="run | watch | show")
    profile = _of_a_profile()
    one = words.add_parser("run", parents=[profile], help="run a command and write its profile")
    one.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    one.set_defaults(does=_run)
    one = words.add_parser("watch", parents=[profile], help="write the profile of what runs already")
    one.add_argument("--pid", type=int, required=True, help="the process: with all that it starts, until it ends")
    one.add_argument("--mark", default="=", metavar="NAME=VALUE", help="so in the environment: it belongs to it, too")
    one.set_defaults(does=_watch)
    one = words.add_parser("show", help="what a profile says")
    one.add_argument("profile", help="a file, or a folder of them")
    one.set_defaults(does=_show)
    return parser


def _of_a_profile() -> argparse.ArgumentParser:
    known = os.environ.get
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--folder", default="paramon", help="where the profile goes (./paramon)")
    parser.add_argument("--period", type=_period, default=1.0, help="seconds from one look to the next, 0.1 to 60 (1)")
    parser.add_argument("--budget", type=_budget, default=0.5, help="per cent of a core that it may take (0.5)")
    parser.add_argument("--job", default=known("SLURM_JOB_ID") or known("JOB_ID") or "", help="its id")
    parser.add_argument("--node", default=known("SLURMD_NODENAME") or "", help="this node's name, for the scheduler")
    return parser


def _period(text: str) -> float:
    return _between(text, SHORTEST, LONGEST, "seconds")


def _budget(text: str) -> float:
    return _between(text, 0.01, 100.0, "per cent of a core")


def _between(text: str, least: float, most: float, unit: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r}: say {least:g} to {most:g} {unit}")
    return value


def _is_chinese() -> bool:
    told = (os.environ.get(name, "") for name in ("PARACLOUD_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return next((one for one in told if one), "").startswith("zh")

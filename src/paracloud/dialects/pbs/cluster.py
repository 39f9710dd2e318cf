"""What a centre has and what of it is free: queues with their limits, nodes with their load."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from paracloud.dialects.answers import broken
from paracloud.dialects.pbs.flavour import Flavour
from paracloud.dialects.pbs.listing import odd
from paracloud.dialects.records import NodeInfo, QueueInfo
from paracloud.dialects.text import printable
from paracloud.kit.command import Command, Completed

T = TypeVar("T")
# Arguments: nonce; then the words of three commands, each behind their number.
_ALL = r"""
nonce=$1
shift
for _ in 1 2 3; do
  "${@:2:$1}" </dev/null || exit
  printf '\n%s\n' "$nonce"
  shift $(($1 + 1))
done
"""


def queues(flavour: Flavour, nonce: str) -> Command[Sequence[QueueInfo]]:
    return _asked(flavour, nonce, lambda queues, _: tuple(queues))


def nodes(flavour: Flavour, nonce: str) -> Command[Sequence[NodeInfo]]:
    """Which queues a node serves is told by the queues, so all is asked here too."""
    return _asked(flavour, nonce, lambda _, nodes: tuple(nodes))


def ping(flavour: Flavour) -> Command[str]:
    """The server's own version; the client's may be another."""
    argv = flavour.cluster.server

    def parse(completed: Completed) -> str:
        try:
            version = flavour.cluster.read_version(flavour.answers.output_of(completed, argv))
        except (ValueError, AttributeError, RecursionError) as error:
            raise odd(error, completed, argv) from None
        if not version:
            raise broken("named no version", "没有给出版本", completed, argv)
        return f"{flavour.answers.scheduler} {printable(version, 40)}"

    return Command(argv=argv, parse=parse)


def _asked(flavour: Flavour, nonce: str, part: Callable[[list[QueueInfo], list[NodeInfo]], T]) -> Command[T]:
    cluster = flavour.cluster
    words = [word for one in (cluster.queues, cluster.server, cluster.nodes) for word in (str(len(one)), *one)]
    argv = ("bash", "-c", _ALL, "paracloud-queues", nonce, *words)

    def parse(completed: Completed) -> T:
        parts = flavour.answers.output_of(completed, argv).split(f"\n{nonce}\n")
        if len(parts) != 4:
            raise broken("gave only a part of an answer", "只给出了一部分答复", completed, argv)
        try:
            return part(*cluster.read(*(text.strip("\n") for text in parts[:3])))
        except (ValueError, KeyError) as error:
            raise odd(error, completed, argv) from None

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=60), cost=3)

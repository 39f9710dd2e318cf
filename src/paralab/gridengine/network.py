"""Nodes that are hosts. Grid Engine knows an execution host by the name that its address resolves to, and looks for its
daemon at one port in the whole cell: each node has a name, an address and ports of its own.

The box itself stays in the machine's network, where its sshd listens, with a cable to a switch; the nodes hang at the
switch. All of it is gone with the last process, the machine's end of the cable included.
"""

from collections.abc import Iterable
from pathlib import Path

from paralab.process import run, wait
from paralab.site import PORTS_A_CENTRE, Site

SWITCH = "switch"
UTS = "/run/uts"


def address(site: Site, index: int) -> str:
    """Of the login host (0) and of the nodes (1 and on): a network for each block of ports, out of 198.18.0.0/15, which
    RFC 2544 keeps for tests of networks and which nobody routes."""
    return f"198.18.{site.port // PORTS_A_CENTRE}.{index + 1}"


def hosts(site: Site) -> str:
    names = [site.host, *(name for name, _ in site.centre.nodes)]
    return "127.0.0.1 localhost\n" + "".join(f"{address(site, index)} {name}\n" for index, name in enumerate(names))


def enter(node: str) -> tuple[str, ...]:
    """What a command is preceded by that is to run on a node."""
    return ("nsenter", f"--net=/run/netns/{node}", f"--uts={UTS}/{node}")


def build(site: Site) -> None:
    """CalledProcessError where the machine forbids it, as a container without CAP_NET_ADMIN does."""
    wait("the end of another lab's network", lambda: is_gone(site))
    cable = _cable(site)
    nodes = [name for name, _ in site.centre.nodes]
    _ip(f"netns add {name}" for name in (SWITCH, *nodes))
    _ip([f"link add {cable} type veth peer name login netns {SWITCH}", *_up(cable, address(site, 0))])
    _ip(["link add bridge type bridge forward_delay 0", "link set bridge up", *_plug("login")], SWITCH)
    for index, node in enumerate(nodes, 1):
        _ip([f"link add port{index} type veth peer name eth0 netns {node}", *_plug(f"port{index}")], SWITCH)
        _ip([*_up("eth0", address(site, index)), "link set lo up"], node)
    run(["mkdir", UTS])
    for node in nodes:
        run(["touch", f"{UTS}/{node}"])
        run(["unshare", f"--uts={UTS}/{node}", "hostname", node])


def is_gone(site: Site) -> bool:
    """The kernel takes a network away some moments after its last process."""
    return not Path("/sys/class/net", _cable(site)).exists()


def _cable(site: Site) -> str:
    """The machine's end."""
    return f"lab{site.port}"


def _up(interface: str, own: str) -> list[str]:
    return [f"addr add {own}/24 dev {interface}", f"link set {interface} up"]


def _plug(interface: str) -> list[str]:
    return [f"link set {interface} master bridge", f"link set {interface} up"]


def _ip(lines: Iterable[str], namespace: str = "") -> None:
    within = ["-n", namespace] if namespace else []
    run(["ip", *within, "-batch", "-"], stdin="".join(f"{line}\n" for line in lines))

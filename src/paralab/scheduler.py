"""What the box, the lab and whoever reaches into a centre ask of its scheduler: they know none by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from paralab.site import Site


@dataclass(frozen=True, slots=True)
class Daemon:
    """`argv` stays in the foreground; `pattern` (an extended regular expression) finds this one's command line among
    all processes of the box."""

    argv: tuple[str, ...]
    pattern: str


class Scheduler(Protocol):
    """One for each kind, without state: all that a centre is lies in its `Site`."""

    @property
    def programs(self) -> Mapping[str, str]:
        """Programs without which no such centre can be built, each with the Debian package that holds it."""

    @property
    def needs_database(self) -> bool:
        """Whether a MariaDB has to run beside the centre."""

    def environment(self, site: Site) -> dict[str, str]:
        """What a program needs to find this scheduler and no other: of daemons, of accounts, of those who log in."""

    def command_folders(self, site: Site) -> list[str]:
        """Folders of the users' commands that are in no usual PATH."""

    def hosts(self, site: Site) -> str:
        """/etc/hosts inside the box: the login host by its name, and all whose names the scheduler resolves."""

    def daemons(self, site: Site) -> dict[str, Daemon]:
        """Every daemon by name; one of a node is called PROGRAM.NODE."""

    def write(self, site: Site) -> None:
        """Configuration and whatever has to lie there before a daemon starts; called once, inside the box."""

    def start(self, site: Site) -> None:
        """Start every daemon of a fresh centre; returns when all nodes take jobs. TimeoutError, OSError or
        subprocess.SubprocessError where they do not come up."""

    def is_gone(self, site: Site) -> bool:
        """Whether the machine is rid of what the kernel takes away a moment after a box's last process."""

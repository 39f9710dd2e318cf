"""All of paramon as one file that Python runs: `python3 paramon.pyz run -- ./a.out`.

Beside each source lies what the Python that packs made of it: one of the same version starts in half the time, and
another one passes it over (zipimport). The same sources and the same Python give the same bytes, so that a file is
known by its checksum. Where a node's `python3` is too old for it, a newer one beside that takes over. NVIDIA's binding
of its NVML, nvidia-ml-py, is one module: where it is installed it goes in, and nobody need install it on a node; it is
imported only where there is a driver.
"""

from __future__ import annotations

import importlib.util
import io
import marshal
import os
import sys
import zipfile

FIRST_LINE = b"#!/usr/bin/env python3\n"
OLDEST = (1980, 1, 1, 0, 0, 0)
"""What a zip file can say; the true time would make each build another one."""
NEEDED = (3, 9)
# No process is started to look for one: this one becomes it. Any Python 3 reads these lines.
MAIN = """\
import os
import sys

if sys.version_info < {needed}:
    for name in ("python3.%d" % minor for minor in range(13, 8, -1)):
        for folder in os.get_exec_path():
            file = os.path.join(folder, name)
            try:
                os.execv(file, [file] + ["-I"] * sys.flags.isolated + sys.argv)
            except OSError:
                pass
    sys.exit("paramon: it needs Python {version} or later. Python 版本过低：需要 {version} 或更高版本。")

from paramon.cli import main
from paramon.leave import leave

leave(main())
"""
UNCHECKED = (1).to_bytes(4, "little")
LEFT_OUT = ("paramon/pack.py", "paramon/__main__.py")
TAKEN_ALONG = ("pynvml",)


def packed(folder: str | None = None, needed: tuple[int, int] = NEEDED) -> bytes:
    """`folder`: of the package; that of this module where none is named. `needed`: of Python."""
    base = os.path.dirname(os.path.abspath(__file__)) if folder is None else folder
    sources = {"__main__.py": MAIN.format(needed=needed, version=".".join(map(str, needed))).encode()}
    for place, folders, files in os.walk(base):
        folders[:] = [one for one in folders if one != "__pycache__"]
        for name in files:
            inside = os.path.join("paramon", os.path.relpath(os.path.join(place, name), base)).replace(os.sep, "/")
            if name.endswith(".py") and inside not in LEFT_OUT:
                sources |= _module(os.path.join(place, name), inside)
    for name in TAKEN_ALONG:
        found = importlib.util.find_spec(name)
        if found is not None and found.origin:
            sources |= _module(found.origin, f"{name}.py")
    out = io.BytesIO()
    out.write(FIRST_LINE)
    with zipfile.ZipFile(out, "w") as archive:
        for inside in sorted(sources):
            entry = zipfile.ZipInfo(inside, OLDEST)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, sources[inside])
    return out.getvalue()


def _module(path: str, inside: str) -> dict[str, bytes]:
    with open(path, "rb") as file:
        source = file.read()
    return {inside: source, inside + "c": _compiled(source, inside)}


def _compiled(source: bytes, inside: str) -> bytes:
    """A .pyc that is not checked against its source (PEP 552). Version 2 of marshal, since later ones depend on what
    else is in memory."""
    code = compile(source, inside, "exec", dont_inherit=True, optimize=0)
    return importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code, 2)


def main() -> int:
    """The one argument: where the file goes. It is whole or not there."""
    target = sys.argv[1]
    with open(target + ".new", "wb") as file:
        file.write(packed())
    os.chmod(target + ".new", 0o755)  # noqa: S103  # a program
    os.replace(target + ".new", target)
    return 0


if __name__ == "__main__":
    sys.exit(main())

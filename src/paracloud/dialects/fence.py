"""Take the run marker of a job on its behalf, so that nothing of its tag ever runs at this centre; or learn that it has
started.

The marker is a symbolic link in the tag's folder (`batch_script.py`), made by one system call, and every dialect's
script makes it first: so either the job has it or we have, whatever its scheduler forgets, repeats or does too late.
A job that finds it taken ends well, having done nothing. In bash and coreutils alone; to be run as the account that
the job is of.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.text import printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import SubmitTag

MOVED = "moved"
"""What the link says where the marker is ours; otherwise it names the native job that runs."""
ANSWER = "paracloud-run"

_PROGRAM = """\
umask 077
mkdir -p -- "$HOME/$1" && cd -- "$HOME/$1" || exit 71
while read -r tag; do
  mkdir -p -- "$tag" && ln -s -- "$2" "$tag/run" 2>/dev/null && sync -- "$tag"
  printf '\\n%s %s %s .\\n' "$3" "$tag" "$(readlink -- "$tag/run")"
done
"""


def fence(tags: Sequence[SubmitTag]) -> Command[Mapping[SubmitTag, bool]]:
    """Whether the marker of each is ours; one of which nothing is known is left out. Safe to repeat."""
    argv = ("bash", "-c", _PROGRAM, "paracloud-fence", GUARD_FOLDER, MOVED, ANSWER)

    def parse(completed: Completed) -> Mapping[SubmitTag, bool]:
        asked, found = set(tags), dict[SubmitTag, bool]()
        for line in completed.stdout.decode(errors="replace").splitlines():
            words = line.split()
            if len(words) == 4 and (words[0], words[3]) == (ANSWER, ".") and words[1] in asked:
                found[SubmitTag(words[1])] = words[2] == MOVED
        if not found:
            said = printable(completed.stderr.decode(errors="replace"), 200)
            raise Unreachable(f"The run markers cannot be read ({said}).", f"无法读取运行标记（{said}）。")
        return found

    return Command(argv=argv, parse=parse, stdin="".join(f"{tag}\n" for tag in tags).encode(),
                   timeout=timedelta(seconds=60), cost=0)  # fmt: skip

"""What a login node is to one account: who one is there, what there is to work with, what time it is. One command."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paracloud.dialects.text import printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Broken

PROGRAMS = (
    *("awk", "base64", "cat", "date", "df", "env", "find", "flock", "grep", "head", "id", "ln", "mkdir", "mktemp"),
    *("mv", "readlink", "rm", "sed", "sort", "stat", "sync", "tac", "tail", "timeout", "true", "uname"),
)
"""What the guard and the other remote steps call, beside bash and the scheduler's own."""
_VALUE_LIMIT = 1000

_PROGRAM = r"""
nonce=$1
shift
# In bash alone, so that a program that is not there can be named.
say() {
  local LC_ALL=C
  local text=${2:0:1500} hex= code i
  for ((i = 0; i < ${#text}; i++)); do
    printf -v code %d "'${text:i:1}"
    printf -v code %02x "$((code & 255))"
    hex+=$code
  done
  printf '\n%s %s x%s .\n' "$nonce" "$1" "$hex"
}
missing=
for program in "$@"; do type -P "$program" >/dev/null || missing="$missing $program"; done
say missing "$missing"
say now "$(date +%s.%N)"
say account "$(id -un)"
say home "$HOME"
say mode "$(stat -L -c %a -- "$HOME")"
say free_kib "$(df -Pk -- "$HOME" | tail -n 1 | { read -r _ _ _ free _; printf %s "$free"; })"
say bash "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}"
say system "$(uname -sr)"
say offset "$(date +%z)"
zone=${TZ:-$(readlink -f /etc/localtime)}
say zone "${zone#*/zoneinfo/}"
own=
type -P rm >/dev/null && { own=$(mktemp -d "$HOME/.paracloud-look.XXXXXX") || own=; }
trap '[ -z "$own" ] || rm -rf -- "$own"' EXIT
locks=no
if [ -n "$own" ]; then
  if flock -n "$own/lock" true; then
    ( flock -n 9 && ! flock -n "$own/lock" true ) 9>"$own/lock" && locks=yes
  fi
fi
say writes "${own:+yes}"
say locks "$locks"
# What a look left that was killed.
find "$HOME" -maxdepth 1 -name '.paracloud-look.??????' -mmin +60 -exec rm -rf -- {} +
"""
_HEX = re.compile("x([0-9a-f]{2})*")


class ToolsMissing(Broken):
    """So much that the rest could not be looked at."""

    code = "tools_missing"


@dataclass(frozen=True, slots=True)
class Ground:
    """`mode`: of the home, as in 0o700. `locks`: whether a lock on a file in the home keeps a second one out."""

    now: datetime
    account: str
    home: str
    mode: int
    free_bytes: int
    bash: tuple[int, int]
    system: str
    time_zone: str
    utc_offset: timedelta
    missing: tuple[str, ...]
    writes: bool
    locks: bool


def look() -> Command[Ground]:
    """ToolsMissing names the programs without which nothing can be said. Broken where the account's shell gives
    anything else, for instance because it is no POSIX shell."""
    nonce = "pc" + secrets.token_hex(8)
    argv = ("bash", "-c", _PROGRAM, "paracloud-look", nonce, *PROGRAMS)
    return Command(argv=argv, parse=lambda completed: _ground(completed, nonce, argv), limit_bytes=64 * 1024)


def lacks(programs: Sequence[str]) -> ToolsMissing:
    words = ", ".join(programs)
    return ToolsMissing(
        f"Not on the login node, or not on the PATH of a login that runs one command: {words}. Install what is not "
        "there; of Linux's packages, util-linux has flock, coreutils has most others.",
        f"登录节点缺少以下程序（或不在非交互登录的 PATH 中）：{words}。"
        "请安装；flock 属于 util-linux，其余多数属于 coreutils。",
    )


def _ground(completed: Completed, nonce: str, argv: tuple[str, ...]) -> Ground:
    said = _said(completed.stdout.decode(errors="replace"), nonce)
    missing = tuple(said.get("missing", "").split())
    try:
        major, _, minor = said["bash"].partition(".")
        return Ground(
            now=datetime.fromtimestamp(float(said["now"]), UTC),
            account=said["account"],
            home=said["home"],
            mode=int(said["mode"], 8),
            free_bytes=int(said["free_kib"]) * 1024,
            bash=(int(major), int(minor)),
            system=said.get("system", ""),
            time_zone=said["zone"],
            utc_offset=_offset(said["offset"]),
            missing=missing,
            writes=said["writes"] == "yes",
            locks=said["locks"] == "yes",
        )
    except (ValueError, KeyError, OverflowError, OSError) as error:
        if missing:
            raise lacks(missing) from error
        raise Broken(
            f"The login node's shell did not answer as bash does ({printable(str(error), 100)}). Give the account "
            "/bin/bash, and keep its start-up files from printing or ending the session.",
            "登录节点的 shell 未按 bash 方式应答；请将该账号的登录 shell 设为 /bin/bash，且启动文件不得退出会话。",
            argv=argv[:2],
            exit_status=completed.exit_status,
            evidence=completed.stderr + completed.stdout,
        ) from error


def _said(text: str, nonce: str) -> dict[str, str]:
    """A line that is not whole is left out, as if it had not been said."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        words = line.split()
        if len(words) == 4 and words[0] == nonce and words[3] == "." and _HEX.fullmatch(words[2]):
            value = bytes.fromhex(words[2].removeprefix("x")).decode(errors="replace")
            found[words[1]] = printable(value, _VALUE_LIMIT)
    return found


def _offset(text: str) -> timedelta:
    """As `date +%z` writes it: +0800."""
    sign = {"+": 1, "-": -1}[text[:1]]
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))

"""How what was seen at a centre stands, and what to do about it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from paracloud.centres.ground import Ground, lacks
from paracloud.centres.survey import Finding, advice, missing, well
from paracloud.dialects.records import QueueInfo
from paracloud.kit.errors import ParacloudError
from paracloud.kit.identifiers import UnixAccount
from paracloud.transports.failures import LoginRefused

NAMED_MOST = 5
CLOCK_MOST = timedelta(seconds=20)
"""Certificates begin a minute before now: a clock that is behind by more than that refuses every login."""
FREE_LEAST_BYTES = 1 << 30
BASH_LEAST = (4, 2)


def of_queues(queues: Sequence[QueueInfo]) -> list[Finding]:
    up = [one for one in queues if one.is_up and one.nodes]
    if not up:
        return [
            missing(
                "queues",
                "No queue that is up and has nodes is shown to this account.",
                "该账号看不到任何已启用且有节点的分区。",
            )
        ]
    cores = sum(one.cores for one in up)
    found = [
        well(
            "queues",
            f"{len(up)} are up, with {cores} cores in all their lists.",
            f"{len(up)} 个分区可用，合计 {cores} 核。",
        )
    ]
    endless = [one.name for one in up if one.max_wall is None]
    if endless:
        en, zh = _named(endless)
        found.append(
            advice(
                "limits",
                f"{en}: no time limit is set. A job without one of its own could run, and cost, without end; set one.",
                f"{zh}：未设时限。未指定时限的作业可能无限运行并计费；请设置上限。",
            )
        )
    return found


def of_homes(looked_at: Mapping[UnixAccount, Ground]) -> list[Finding]:
    """Of those that have the programs by which a home is looked at."""
    grounds = {account: one for account, one in looked_at.items() if not one.missing}
    rules: tuple[tuple[Callable[[Ground], bool], Callable[[str, str], Finding]], ...] = (
        (
            lambda one: one.writes,
            lambda en, zh: missing("homes", f"{en}: the home cannot be written to.", f"{zh}：主目录不可写。"),
        ),
        (
            lambda one: one.locks or not one.writes,
            lambda en, zh: missing(
                "locks",
                f"{en}: file locks (flock) do not work in the home; mount it with locks (for Lustre: -o flock).",
                f"{zh}：主目录不支持文件锁（flock）；请以支持锁的方式挂载（Lustre 使用 -o flock）。",
            ),
        ),
        (
            lambda one: not one.mode & 0o077,
            lambda en, zh: advice(
                "homes",
                f"{en}: others can look into the home; `chmod 700` keeps the tenants apart.",
                f"{zh}：他人可查看主目录；请执行 chmod 700 以隔离租户。",
            ),
        ),
        (
            lambda one: one.free_bytes >= FREE_LEAST_BYTES,
            lambda en, zh: advice(
                "room", f"{en}: less than 1 GiB is free in the home.", f"{zh}：主目录可用空间不足 1 GiB。"
            ),
        ),
    )
    found = []
    for holds, say in rules:
        if wrong := sorted(account for account, one in grounds.items() if not holds(one)):
            found.append(say(*_named(wrong)))
    shared = len({one.home for one in grounds.values()}) < len(grounds)
    if shared:
        found.append(
            missing(
                "homes", "Two lent accounts have one home; give each its own.", "有出借账号共用主目录；请各自独立。"
            )
        )
    return found


def of_tools(ground: Ground) -> list[Finding]:
    found = []
    if ground.missing:
        said = lacks(ground.missing)
        found.append(missing("programs", said.en, said.zh))
    if ground.bash < BASH_LEAST:
        is_, least = (".".join(map(str, one)) for one in (ground.bash, BASH_LEAST))
        found.append(
            missing(
                "programs",
                f"bash is {is_}; install {least} or later.",
                f"bash 版本为 {is_}；请安装 {least} 或更高版本。",
            )
        )
    return found or [well("programs", "bash, coreutils and flock are there.", "bash、coreutils 和 flock 齐全。")]


def of_paths(grounds: Mapping[UnixAccount, Ground], service: Ground) -> list[Finding]:
    """What only some of the lent accounts have not on their PATH."""
    lacking = {account: set(one.missing) - set(service.missing) for account, one in grounds.items()}
    if not any(lacking.values()):
        return []
    en, zh = _named(sorted(account for account, names in lacking.items() if names))
    words = ", ".join(sorted(set[str]().union(*lacking.values())))
    return [
        missing(
            "programs",
            f"{en}: not on the PATH, as it is for {service.account}: {words}.",
            f"{zh}：PATH 中缺少 {words}（{service.account} 则有）。",
        )
    ]


def of_clock(ahead: timedelta) -> Finding:
    seconds = ahead.total_seconds()
    if abs(ahead) > CLOCK_MOST:
        return missing(
            "clock",
            f"The login node's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours: logins "
            "are refused and usage is booked on the wrong day. Let chrony or ntpd keep it.",
            f"登录节点时钟{'快' if seconds > 0 else '慢'} {abs(seconds):.0f} 秒：会导致登录被拒、用量计入错误日期。"
            "请用 chrony 或 ntpd 校时。",
        )
    return well("clock", f"{abs(seconds):.1f} s from ours.", f"与本平台相差 {abs(seconds):.1f} 秒。")


def no_login(account: UnixAccount, error: ParacloudError, trust: str) -> Finding:
    if not isinstance(error, LoginRefused):
        return missing("login", f"{account}: {error.en}", f"{account}：{error.zh}")
    line = f'cert-authority,principals="{account}" {trust}'
    return missing(
        "login",
        f"{account}: {error.en} As root: put our authority's key into the file that TrustedUserCAKeys in sshd_config "
        f"names. Or without root, add this line to its ~/.ssh/authorized_keys: {line}",
        f"{account}：{error.zh}有 root 权限时：将本平台签发公钥写入 sshd_config 中 TrustedUserCAKeys 指定的文件；"
        f"无 root 权限时：在其 ~/.ssh/authorized_keys 中加入一行：{line}",
    )


def _named(names: Sequence[str]) -> tuple[str, str]:
    shown, more = ", ".join(names[:NAMED_MOST]), len(names) - NAMED_MOST
    return (f"{shown} and {more} more", f"{shown} 等 {len(names)} 个") if more > 0 else (shown, shown)


def signed(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"

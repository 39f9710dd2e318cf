"""What can go wrong on the way to a centre, in our own words.

WrongHostKey and LoginRefused are Broken, not Refused: the request that met them is not at fault and must not be ended
by them, and not Unreachable: waiting does not mend them, an operator does. Nothing is ever accepted by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from paracloud.kit.errors import Broken, Conflict, Forbidden, Invalid, NotFound, TooLarge, Unreachable

ANSWER_SECONDS = 60.0
"""For one step on files, whatever the file's size."""


class WrongHostKey(Broken):
    """Nothing was sent to the machine that answered, not even the account's name."""

    code = "wrong_host_key"


class LoginRefused(Broken):
    code = "login_refused"


@contextmanager
def login_errors(centre: str, account: str) -> Iterator[None]:
    """What opening a connection may raise."""
    try:
        yield
    except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
        raise WrongHostKey(
            f"{centre} does not show the host key that is pinned for it; nothing was sent. Ask the centre whether it "
            "has a new key, over another way than the network, and then pin that one.",
            f"{centre} 出示的主机密钥与登记的不一致，未发送任何内容；请通过其他途径向超算中心核实后再更新登记的密钥。",
            evidence=str(error).encode(),
        ) from error
    except asyncssh.PermissionDenied as error:
        raise LoginRefused(
            f"{centre} refuses the login of {account}. It must know the account, trust our certificate authority, and "
            "have the right time.",
            f"{centre} 拒绝账号 {account} 登录；请确认账号存在、信任本平台的证书签发公钥，且时钟准确。",
            evidence=str(error).encode(),
        ) from error
    except (asyncssh.Error, OSError, TimeoutError) as error:
        raise Unreachable(
            f"{centre} does not answer on SSH; try again.", f"{centre} 的 SSH 没有响应，请稍后重试。"
        ) from error


@contextmanager
def lost_answers() -> Iterator[None]:
    """What a connection may raise when it breaks, or when the other side says nothing for too long."""
    try:
        yield
    except (asyncssh.Error, OSError, TimeoutError) as error:
        raise Unreachable(
            "The connection to the centre broke or timed out; what was asked may have happened.",
            "与超算中心的连接中断或超时，所请求的操作可能已经执行。",
        ) from error


@contextmanager
def file_errors() -> Iterator[None]:
    """SFTP's answers (draft-ietf-secsh-filexfer-02 section 7); OpenSSH says NO_SUCH_FILE also for ENOTDIR and ELOOP."""
    try:
        yield
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
        raise no_such_file() from error
    except asyncssh.SFTPPermissionDenied as error:
        raise not_allowed() from error
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
        raise
    except asyncssh.SFTPError as error:
        raise file_system_says(error.reason) from error


def no_such_file() -> NotFound:
    return NotFound("There is no such file or directory at the centre.", "超算中心上没有该文件或目录。")


def not_allowed() -> Forbidden:
    return Forbidden("The centre does not allow this account to do that.", "超算中心不允许该账号执行此操作。")


def not_a_file() -> Invalid:
    return Invalid("That is not a regular file; name a file.", "这不是普通文件，请指定一个文件。", field="path")


def file_system_says(reason: str) -> Broken:
    """Anything else, such as a full quota. The reason is the centre's text: evidence, not a sentence of ours."""
    return Broken(
        "The centre's file system did not do that; is its quota used up?",
        "超算中心的文件系统未能完成操作；配额是否已用尽？",
        evidence=reason.encode(errors="replace"),
    )


def too_many_entries(limit: int) -> TooLarge:
    return TooLarge(
        f"The directory has more than {limit} entries; ask for one of its subdirectories or for a file.",
        f"该目录超过 {limit} 项，请指定子目录或文件。",
        field="path",
    )


def too_large_here(size_bytes: int) -> TooLarge:
    return TooLarge(
        f"The file has {size_bytes} bytes, more than is free here; fetch a part of it, or make room.",
        f"文件有 {size_bytes} 字节，超出本地可用空间；请分段获取或清理空间。",
        field="path",
    )


def changed_meanwhile() -> Conflict:
    return Conflict(
        "The file became shorter while it was copied; try again when nothing writes to it.",
        "复制过程中文件变短；请在没有程序写入时重试。",
        field="path",
    )

"""Who may log in at a centre, and how: its accounts, and its sshd."""

from collections.abc import Mapping
from pathlib import Path

from paralab.site import Site

SHELL = "/bin/bash"


def accounts(site: Site) -> list[tuple[str, int]]:
    """Names and numeric ids of all accounts: the service account first."""
    names = (site.centre.service_account, *site.centre.pool)
    return [(name, site.first_uid + index) for index, name in enumerate(names)]


def account_files(site: Site) -> dict[str, str]:
    """passwd, group and shadow with our accounts added: bound over the machine's own inside the box, so that no account
    is ever made on the machine. A password of "*" cannot be typed, and does not count as locked."""
    system = {name: Path("/etc", name).read_text().rstrip("\n") + "\n" for name in ("passwd", "group", "shadow")}
    for name, uid in accounts(site):
        system["passwd"] += f"{name}:x:{uid}:{uid}::/home/{name}:{SHELL}\n"
        system["group"] += f"{name}:x:{uid}:\n"
        system["shadow"] += f"{name}:*:19000:0:99999:7:::\n"
    return system


def sshd_config(site: Site, variables: Mapping[str, str]) -> str:
    """Certificates of the trusted authority are the only way in; the principal must be the account's name. `variables`
    are set for whoever comes in, so that nobody needs a start-up file to find the scheduler."""
    folder = site.folder / "ssh"
    settings = " ".join(f"{name}={value}" for name, value in variables.items())
    allowed = " ".join(name for name, _ in accounts(site))
    return f"""\
Port {site.ssh_port}
ListenAddress 127.0.0.1
HostKey {folder}/host_ed25519
PidFile /run/sshd.pid
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
AuthorizedKeysFile none
TrustedUserCAKeys {folder}/trusted.pub
RevokedKeys {folder}/revoked
PermitRootLogin no
AllowUsers {allowed}
StrictModes no
UseDNS no
PrintMotd no
PrintLastLog no
AllowTcpForwarding no
X11Forwarding no
MaxStartups 100:30:200
MaxSessions 1000
LogLevel VERBOSE
Subsystem sftp internal-sftp
SetEnv {settings}
"""

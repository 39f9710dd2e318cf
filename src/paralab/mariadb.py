"""One private MariaDB for all centres of a lab: their slurmdbds need one. Boxed like a centre, so that it leaves no
socket behind; its data folder is copied from a template that is made once."""

import shutil
import subprocess
from pathlib import Path

from paralab.errors import LabError

SETTINGS = (
    "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--innodb-lock-wait-timeout=900",
    "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--performance-schema=0", "--skip-log-bin",
    "--skip-name-resolve",
)  # fmt: skip
"""slurmdbd asks for the buffer and the long lock wait; a lab's history need not outlive a power cut."""


def template(cache: Path) -> Path:
    """The data folder of an empty server, made at the first call."""
    folder = cache / "mariadb-template"
    if not folder.exists():
        partial = cache / ".mariadb-template.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        command = [
            "mariadb-install-db", "--no-defaults", f"--datadir={partial}", "--user=root",
            "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            tail = (done.stdout + done.stderr)[-500:]
            raise LabError(f"mariadb-install-db failed: {tail}", f"mariadb-install-db 失败：{tail}")
        partial.rename(folder)
    return folder


def prepare(cache: Path, folder: Path, password: str) -> None:
    shutil.copytree(template(cache), folder / "data")
    (folder / "run").mkdir()
    (folder / "files").mkdir(mode=0o700)
    init = folder / "init.sql"
    init.touch(mode=0o600)
    # A centre's jobs reach this port: nobody but slurmdbd may come in, above all no root without a password.
    statements = (
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys'",
        "FLUSH PRIVILEGES",
        f"CREATE USER slurm@'127.0.0.1' IDENTIFIED BY '{password}'",
        "GRANT ALL ON `slurm\\_acct\\_%`.* TO slurm@'127.0.0.1'",
    )
    init.write_text("".join(f"{one};\n" for one in statements))


def command(folder: Path, port: int) -> list[str]:
    """Runs inside its own mount namespace: the socket's folder is a tmpfs that only exists there."""
    server = [
        "mariadbd", "--no-defaults", "--user=root", f"--datadir={folder}/data", f"--socket={folder}/run/sock",
        f"--pid-file={folder}/run/pid", "--bind-address=127.0.0.1", f"--port={port}", f"--init-file={folder}/init.sql",
        f"--secure-file-priv={folder}/files", "--local-infile=0", *SETTINGS,
    ]  # fmt: skip
    return ["sh", "-c", 'mount -t tmpfs tmpfs "$1/run" && shift && exec "$@"', "mariadb-box", str(folder), *server]

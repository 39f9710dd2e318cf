"""`python -m paracloud.migrations.check`: the migrations make what the tables say, or it names the drift."""

import os
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.util.exc import CommandError

from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.migrations.migrate import configuration, migrate


def main() -> int:
    base = "/var/tmp" if os.getuid() == 0 else None  # noqa: S108  # the database's account must be able to reach it
    with tempfile.TemporaryDirectory(prefix="paracloud-check-", dir=base) as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder), {"fsync": "off"}) as server:
            migrate(server.url)
            try:
                command.check(configuration(server.url))
            except CommandError as drift:
                print(f"migrations and tables differ: {drift}", file=sys.stderr)
                return 1
    print("migrations and tables agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What `./run` says is missing is what is not installed, on a machine that has never heard of it too."""

import re
import subprocess
from pathlib import Path

RUN = Path(__file__).parents[2] / "run"


def missing(*packages: str) -> list[str]:
    """As the entrance's own function says it, under the settings that the entrance has."""
    function = re.search(r"^missing_packages\(\) \{.*?^\}", RUN.read_text(), re.DOTALL | re.MULTILINE)
    assert function is not None
    script = f"set -euo pipefail\n{function[0]}\ncat < <(missing_packages {' '.join(packages)})"
    return subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True).stdout.split()


def test_a_package_that_dpkg_never_heard_of_is_missing_and_one_that_is_installed_is_not():
    assert missing("dpkg", "no-such-package-anywhere") == ["no-such-package-anywhere"]
    assert missing("dpkg", "bash") == []

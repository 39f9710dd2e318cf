"""`python paramon.pyz …`, `python -m paramon …`."""

import sys

from paramon.cli import main

sys.exit(main())

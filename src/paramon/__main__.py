"""`python paramon.pyz …`, `python -m paramon …`."""

from paramon.cli import main
from paramon.leave import leave

leave(main())

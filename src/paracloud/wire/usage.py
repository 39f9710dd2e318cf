"""Sums of usage on the wire."""

from decimal import Decimal
from uuid import UUID

from paracloud.wire.base import Model


class UsageRowModel(Model):
    """What the row is about, null where that was not asked for; jobs that ended; hours, as decimals."""

    day: str | None = None
    month: str | None = None
    centre: str | None = None
    queue: str | None = None
    project: str | None = None
    project_id: UUID | None = None
    user: str | None = None
    product_line: str | None = None
    jobs: int
    core_hours: Decimal
    node_hours: Decimal
    gpu_hours: Decimal
    wall_hours: Decimal
    wait_hours: Decimal


class UsageReportModel(Model):
    """`by`: in which order the rows are named and sorted."""

    by: list[str]
    rows: list[UsageRowModel]

"""Monthly statements and bills of jobs, as typed calls."""

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

from paracloud.client.calls import Calls
from paracloud.wire.statements import BillModel, MonthModel

Whose = Literal["projects", "organisations", "operator/projects", "operator/organisations"]
"""What the id is of; with `operator/`, of anybody, for the operator."""


class StatementCalls(Calls):
    """What `paracloud.client.client.Client` can ask of statements."""

    def month(self, whose: Whose, of: UUID, month: str) -> MonthModel:
        return self._get(f"/{whose}/{of}/statements/{month}", MonthModel)

    def month_file(self, whose: Whose, of: UUID, month: str, form: str, language: str) -> Iterator[bytes]:
        """The file's bytes, as they come."""
        query = {"format": form, "language": language}
        yield from self._stream(f"/{whose}/{of}/statements/{month}/file", query)

    def bill(self, job: UUID, *, as_operator: bool = False) -> BillModel:
        return self._get(f"{'/operator' if as_operator else ''}/jobs/{job}/bill", BillModel)

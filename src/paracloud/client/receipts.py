"""Receipts, as typed calls."""

from collections.abc import Iterator
from uuid import UUID

from paracloud.client.calls import Calls
from paracloud.wire.receipts import IssuedModel, ReceiptKeyList


class ReceiptCalls(Calls):
    """What `paracloud.client.client.Client` can ask of receipts."""

    def issue_receipts(self, project: UUID) -> IssuedModel:
        return self._post(f"/projects/{project}/receipts:issue", IssuedModel, None, is_repeatable=True)

    def receipts(self, project: UUID, start: int = 1) -> Iterator[bytes]:
        """The file's bytes, as they come."""
        yield from self._stream(f"/projects/{project}/receipts", {"from": start})

    def receipt_keys(self) -> ReceiptKeyList:
        return self._get("/receipt-keys", ReceiptKeyList)

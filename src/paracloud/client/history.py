"""Old logs, as typed calls."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

from paracloud.client.calls import Calls
from paracloud.client.content import CHUNK_BYTES, digest
from paracloud.wire.history import FaultList, FaultModel, ImportList, ImportModel, ImportRequest, LogModel


class HistoryCalls(Calls):
    """What `paracloud.client.client.Client` can ask of imports."""

    def send_log(self, file: Path, told: Callable[[int], None]) -> LogModel:
        """`told` hears how many bytes are sent, chunk by chunk."""
        sha256, _ = digest(file)

        def content() -> Iterator[bytes]:
            with file.open("rb") as opened:
                while chunk := opened.read(CHUNK_BYTES):
                    yield chunk
                    told(len(chunk))

        answer = self._send("PUT", f"/operator/logs/{sha256}", content=content())
        return LogModel.model_validate_json(answer.content)

    def start_import(self, body: ImportRequest) -> ImportModel:
        return self._post("/operator/imports", ImportModel, body)

    def imports(self) -> ImportList:
        return self._get("/operator/imports", ImportList)

    def show_import(self, import_id: UUID) -> ImportModel:
        return self._get(f"/operator/imports/{import_id}", ImportModel)

    def faults(self, import_id: UUID) -> Iterator[FaultModel]:
        """All of them, page by page."""
        after: int | None = 0
        while after is not None:
            page = self._get(f"/operator/imports/{import_id}/faults", FaultList, {"after": after})
            yield from page.items
            after = page.next

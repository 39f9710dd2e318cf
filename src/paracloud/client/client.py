"""The API as typed calls. What is safe to repeat is repeated when the connection breaks; a submission, by its key."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from pydantic import BaseModel

from paracloud.client.content import CHUNK_BYTES, digest
from paracloud.client.corrections import CorrectionCalls
from paracloud.client.errors import ApiError
from paracloud.client.forecasts import ForecastCalls
from paracloud.client.history import HistoryCalls
from paracloud.client.lists import ListCalls
from paracloud.client.notices import NoticeCalls
from paracloud.client.paying import PayingCalls
from paracloud.client.receipts import ReceiptCalls
from paracloud.client.reconciliation import ReconciliationCalls
from paracloud.client.settlement import SettlementCalls
from paracloud.client.statements import StatementCalls
from paracloud.client.surveys import SurveyCalls
from paracloud.client.terms import TermCalls
from paracloud.client.usage import UsageCalls
from paracloud.wire.account import (
    BalanceModel,
    CheckModel,
    Created,
    IssuedToken,
    ProductLineModel,
    ProductLineRequest,
    StatementModel,
    WhoAmI,
)
from paracloud.wire.drained import DrainedModel
from paracloud.wire.gone import GivenUpModel, GoneRequest, StrandedModel
from paracloud.wire.grid import CentreList, QueueList
from paracloud.wire.jobs import (
    AcceptedBatch,
    AcceptedModel,
    FileList,
    InputModel,
    JobBatch,
    JobDetailModel,
    JobModel,
    JobPage,
    JobRequest,
)
from paracloud.wire.profiles import ProfileFilesModel, ProfileModel
from paracloud.wire.provision import ProvisionModel, ProvisionRequest, ResidencyModel, ResidencyRequest
from paracloud.wire.quotes import QuoteModel
from paracloud.wire.tariffs import ChargedModel, ContractList, EndRequest, PriceList, UnratedList
from paracloud.wire.vacated import VacatedModel, VacateRequest

READ_BYTES = 4 << 20
OPERATOR = "/operator"
"""Before a path: of anybody, for the operator."""


class Client(
    PayingCalls,
    HistoryCalls,
    UsageCalls,
    ReceiptCalls,
    SettlementCalls,
    StatementCalls,
    NoticeCalls,
    ForecastCalls,
    ReconciliationCalls,
    CorrectionCalls,
    ListCalls,
    SurveyCalls,
    TermCalls,
):
    """One caller at one server. ApiError for whatever the server refuses, or when it does not answer."""

    def whoami(self) -> WhoAmI:
        return self._get("/whoami", WhoAmI)

    def centres(self) -> CentreList:
        return self._get("/centres", CentreList)

    def queues(self, project: UUID | None = None) -> QueueList:
        return self._get("/queues", QueueList, None if project is None else {"project": str(project)})

    def submit(self, request: JobRequest, *, key: str | None = None) -> AcceptedModel:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self._post("/jobs", AcceptedModel, request, headers=headers, is_repeatable=True)

    def submit_all(self, requests: Sequence[JobRequest], *, key: str | None = None) -> list[AcceptedModel]:
        """All of them, or none: at most BATCH_LIMIT of them at a time."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        body = JobBatch(jobs=list(requests))
        return self._post("/jobs:batch", AcceptedBatch, body, headers=headers, is_repeatable=True).items

    def quote(self, request: JobRequest, **query: Any) -> QuoteModel:  # noqa: ANN401  # query parameters
        return self._post("/quotes", QuoteModel, request, params=query, is_repeatable=True)

    def jobs(self, **query: Any) -> JobPage:  # noqa: ANN401  # query parameters
        return self._get("/jobs", JobPage, query)

    def job(self, job: UUID) -> JobDetailModel:
        return self._get(f"/jobs/{job}", JobDetailModel)

    def wish(self, job: UUID, kind: str) -> JobModel:
        """cancel, hold or release."""
        return self._post(f"/jobs/{job}:{kind}", JobModel, None, is_repeatable=True)

    def balance(self, project: UUID, *, as_operator: bool = False) -> BalanceModel:
        return self._get(f"{OPERATOR if as_operator else ''}/projects/{project}/balance", BalanceModel)

    def statement(self, project: UUID, *, as_operator: bool = False, **query: Any) -> StatementModel:  # noqa: ANN401
        return self._get(f"{OPERATOR if as_operator else ''}/projects/{project}/statement", StatementModel, query)

    def files(self, job: UUID, path: str = "") -> FileList:
        return self._get(f"/jobs/{job}/files", FileList, {"path": path})

    def log(self, job: UUID, *, stream: str = "stdout", start: int = 0, task: int | None = None) -> bytes:
        query = {"stream": stream, "start": start} | ({} if task is None else {"task": task})
        return self._send("GET", f"/jobs/{job}/logs", params=query, is_repeatable=True).content

    def profile(
        self, job: UUID, *, since: str = "", task: int | None = None, part: int = 0, parts: int = 1
    ) -> ProfileModel:
        """What the collector saw of it since the look that gave this cursor; of very many nodes, a part."""
        query = {**_since(since, task), "part": part, "parts": parts}
        return self._get(f"/jobs/{job}/profile", ProfileModel, query)

    def profile_files(
        self, job: UUID, *, since: str = "", task: int | None = None, after: str = "", until: str = ""
    ) -> ProfileFilesModel:
        """The same as bytes of its files, of those that follow `after`, to `until`: paracloud.client.profile_copy puts
        them together."""
        query = {**_since(since, task), "after": after, "until": until}
        return self._get(f"/jobs/{job}/profile/files", ProfileFilesModel, query)

    def content(self, job: UUID, path: str) -> Iterator[bytes]:
        """One file's bytes, chunk by chunk, from its beginning to its end as it is when asked."""
        start = 0
        while True:
            query = {"path": path, "start": start, "limit": READ_BYTES}
            chunk = self._send("GET", f"/jobs/{job}/content", params=query, is_repeatable=True).content
            if not chunk:
                return
            start += len(chunk)
            yield chunk

    def upload(self, project: UUID, local: Path, path: str) -> InputModel:
        """Send a file where the project does not hold it yet; the input for a job request comes back."""
        sha256, size = digest(local)
        where = f"/projects/{project}/blobs/{sha256}"
        try:
            self._send("HEAD", where, is_repeatable=True)
        except ApiError as absent:
            if absent.status != 404:
                raise
            with local.open("rb") as file:
                self._send("PUT", where, content=iter(lambda: file.read(CHUNK_BYTES), b""))
        is_executable = bool(local.stat().st_mode & 0o100)
        return InputModel(path=path, sha256=sha256, size_bytes=size, is_executable=is_executable)

    def operator(self, what: str, body: BaseModel) -> Created:
        """organisations, projects, users, prices, contracts or centres."""
        return self._post(f"/operator/{what}", Created, body)

    def add_member(self, body: BaseModel) -> None:
        self._send("PUT", "/operator/members", json=body.model_dump(mode="json"), is_repeatable=True)

    def change_product_line(self, project: UUID, body: ProductLineRequest) -> ProductLineModel:
        return self._put(f"/operator/projects/{project}/product-line", ProductLineModel, body)

    def provide(self, centre: str, body: ProvisionRequest) -> ProvisionModel:
        """What the body does not set stays as it is."""
        return self._patch(f"/operator/centres/{quote(centre, safe='')}/provision", ProvisionModel, body)

    def vacate(self, centre: str, body: VacateRequest) -> VacatedModel:
        return self._post(f"/operator/centres/{quote(centre, safe='')}:vacate", VacatedModel, body)

    def drain(self, centre: str) -> DrainedModel:
        return self._post(f"/operator/centres/{quote(centre, safe='')}:drain", DrainedModel, None)

    def resume(self, centre: str) -> DrainedModel:
        return self._post(f"/operator/centres/{quote(centre, safe='')}:resume", DrainedModel, None)

    def stranded(self, centre: str) -> StrandedModel:
        return self._get(f"/operator/centres/{quote(centre, safe='')}/stranded", StrandedModel)

    def give_up(self, centre: str, body: GoneRequest) -> GivenUpModel:
        return self._post(f"/operator/centres/{quote(centre, safe='')}:give-up", GivenUpModel, body)

    def restrict_residency(self, project: UUID, body: ResidencyRequest) -> ResidencyModel:
        return self._put(f"/operator/projects/{project}/residency", ResidencyModel, body)

    def user_token(self, login: str, body: BaseModel) -> IssuedToken:
        return self._post(f"/operator/users/{login}/tokens", IssuedToken, body)

    def check(self) -> CheckModel:
        return self._get("/operator/check", CheckModel)

    def prices(self) -> PriceList:
        return self._get("/operator/prices", PriceList)

    def contracts(self) -> ContractList:
        return self._get("/operator/contracts", ContractList)

    def end(self, what: str, which: str, body: EndRequest, queue: str | None = None) -> Created:
        """prices or contracts; `queue`: that queue's own contract with the centre."""
        query = {} if queue is None else {"queue": queue}
        path = f"/operator/{what}/{quote(which, safe='')}:end"
        return self._post(path, Created, body, is_repeatable=False, params=query)

    def unrated(self) -> UnratedList:
        """All of it, read page by page."""
        page = self._get("/operator/unrated", UnratedList)
        items = list(page.items)
        while page.next is not None:
            page = self._get("/operator/unrated", UnratedList, {"after": page.next})
            items += page.items
        return UnratedList(items=items, next=None)

    def charge_unrated(self) -> ChargedModel:
        return self._post("/operator/unrated:charge", ChargedModel, None, is_repeatable=True)


def _since(since: str, task: int | None) -> dict[str, Any]:
    return ({"since": since} if since else {}) | ({} if task is None else {"task": task})

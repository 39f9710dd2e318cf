"""The API as one ASGI application."""

from fastapi import APIRouter, FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paracloud.api import (
    account,
    budgets,
    corrections,
    drain,
    files,
    forecasts,
    gone,
    grid,
    imports,
    jobs,
    lists,
    notices,
    operator,
    paying,
    periods,
    problems,
    profiles,
    provision,
    quotes,
    receipts,
    reconciliation,
    settlement,
    settling,
    statements,
    submission,
    surveys,
    tariffs,
    terms,
    usage,
    vacate,
)
from paracloud.api.deps import Deps
from paracloud.kit.identifiers import new_uuid
from paracloud.wire.problem import Problem

PREFIX = "/api/v1"
ROOMS = (
    account,
    grid,
    submission,
    jobs,
    quotes,
    files,
    profiles,
    operator,
    drain,
    terms,
    provision,
    lists,
    corrections,
    tariffs,
    reconciliation,
    forecasts,
    paying,
    budgets,
    periods,
    imports,
    usage,
    vacate,
    gone,
    receipts,
    settlement,
    settling,
    statements,
    surveys,
    notices,
)
BODY_LIMIT_BYTES = 8 << 20
"""JSON bodies; uploads have a limit of their own. A script of 1 MiB fits, escaped."""
PROBLEMS = {
    status: {"model": Problem, "content": {problems.MEDIA_TYPE: {}}}
    for status in (400, 401, 402, 403, 404, 405, 409, 413, 422, 502, 503)
}


def build(deps: Deps) -> FastAPI:
    """`deps` come from the composition root; nothing is global."""
    app = FastAPI(
        title="paracloud",
        version="1",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url="/docs",
        redoc_url=None,
        description="Many centres' clusters as one pool, one account, one exact bill.",
    )
    app.state.deps = deps
    root = APIRouter(prefix=PREFIX, responses=PROBLEMS)  # type: ignore[arg-type]  # FastAPI's type wants int | str keys
    for room in ROOMS:
        root.include_router(room.router)
    app.include_router(root)
    app.get("/healthz", include_in_schema=False)(_healthz)
    problems.install(app)
    app.add_middleware(_Edge)
    return app


async def _healthz() -> dict[str, str]:
    return {"status": "ok"}


class _Edge:
    """Gives every request its number, and stops a body that is too large before anybody reads it. Plain ASGI: the
    framework's own middleware functions cost a task and two queues at every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.request_id = str(new_uuid())

        async def send_numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request.state.request_id
            await send(message)

        problem = _too_large(request)
        following = self._app if problem is None else problems.answer(request, problem)
        await following(scope, receive, send_numbered)


def _too_large(request: Request) -> Problem | None:
    length = request.headers.get("content-length", "0")
    if request.method == "PUT" and any(kept in request.url.path for kept in ("/blobs/", "/operator/logs/")):
        return None
    if (
        length.isascii()
        and length.isdigit()
        and int(length) <= BODY_LIMIT_BYTES
        and "transfer-encoding" not in request.headers
    ):
        return None
    en = f"A body has at most {BODY_LIMIT_BYTES} bytes and says its length; upload large files as blobs."
    zh = f"请求体最多 {BODY_LIMIT_BYTES} 字节且须声明长度；大文件请先上传。"
    return Problem(title="too large", status=413, code="too_large", detail=en, detail_zh=zh)

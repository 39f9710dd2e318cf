"""Every error as a problem document (RFC 9457): one shape, two languages, never a trace."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from paracloud.kit.errors import NotEnoughFunds, ParacloudError, Refused
from paracloud.wire.problem import Problem
from paracloud.wire.wording import worded

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
TEXTS = {
    400: (
        "The body cannot be read: send JSON that is not nested deeply and holds no huge numbers.",
        "无法读取请求体：请发送嵌套不深、不含超大数字的 JSON。",
    ),
    404: ("There is no such address.", "没有这个地址。"),
    405: ("This address does not know the method.", "该地址不支持此方法。"),
}


def install(app: FastAPI) -> None:
    app.add_exception_handler(ParacloudError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


def answer(request: Request, problem: Problem) -> JSONResponse:
    filled = problem.model_copy(update={"request_id": getattr(request.state, "request_id", None)})
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
    return JSONResponse(filled.model_dump(exclude_none=True), problem.status, headers, MEDIA_TYPE)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ParacloudError)  # noqa: S101  # registered for it alone
    title = error.code.replace("_", " ")
    field = error.field if isinstance(error, Refused) and hasattr(error, "field") else None
    problem = Problem(
        title=title, status=error.status, code=error.code, detail=error.en, detail_zh=error.zh, field=field
    )
    if isinstance(error, NotEnoughFunds) and error.missing_micro is not None:
        problem = problem.model_copy(
            update={"extra": {"missing_micro": error.missing_micro, "currency": error.currency}}
        )
    if error.status >= 500:
        log.warning("api.trouble", code=error.code, reason=error.en, path=request.url.path)
    return answer(request, problem)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = next(iter(error.errors()), {"loc": (), "type": "missing"})
    field, en, zh = worded(first)
    return answer(request, Problem(title="invalid", status=422, code="invalid", detail=en, detail_zh=zh, field=field))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    text = str(error.detail)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    en, zh = TEXTS.get(error.status_code, (f"{text}.", f"请求被拒绝（{text}）。"))
    return answer(request, Problem(title=text, status=error.status_code, code=code, detail=en, detail_zh=zh))


async def _defect(request: Request, error: Exception) -> JSONResponse:
    log.error("api.defect", path=request.url.path, error=repr(error)[:500], exc_info=error)
    detail, zh = "The server failed; the defect is logged.", "服务器内部错误，已记录。"
    return answer(request, Problem(title="internal", status=500, code="internal", detail=detail, detail_zh=zh))

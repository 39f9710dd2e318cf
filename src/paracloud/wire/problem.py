"""RFC 9457 problem documents, in two languages."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """`code` is for programs; `detail` and `detail_zh` say what to change; `field` names the part at fault."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    detail_zh: str
    field: str | None = None
    request_id: str | None = None
    extra: dict[str, Any] | None = None

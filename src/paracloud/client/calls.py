"""One caller's requests at one server. What is safe to repeat is repeated when the connection breaks."""

import json
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from paracloud.client.errors import ApiError

M = TypeVar("M", bound=BaseModel)
TRIES = 6
PAUSE_SECONDS = 0.2
"""After the first try; twice as long after each other one."""


class Calls:
    """ApiError for whatever the server refuses, or when it does not answer."""

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        if not (token.isascii() and token.isprintable() and " " not in token):
            # Said without the token: an error is printed, and may be kept.
            raise ApiError(
                401,
                "unauthenticated",
                "What stands for a token is none: it has a blank, a line's end or a letter that no token has.",
                "所提供的令牌无效：含有空格、换行或非 ASCII 字符。",
            )
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _get(self, path: str, model: type[M], query: Mapping[str, Any] | None = None) -> M:
        return model.model_validate_json(self._send("GET", path, params=query, is_repeatable=True).content)

    def _post(self, path: str, model: type[M], body: BaseModel | None, **options: Any) -> M:  # noqa: ANN401
        tree = None if body is None else body.model_dump(mode="json")
        return model.model_validate_json(self._send("POST", path, json=tree, **options).content)

    def _send(self, method: str, path: str, *, is_repeatable: bool = False, **options: Any) -> httpx.Response:  # noqa: ANN401
        for attempt in range(1, TRIES + 1):
            is_last = not is_repeatable or attempt == TRIES
            try:
                answer = self._http.request(method, path, **options)
                if is_last or answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
            except httpx.TransportError as error:
                if is_last:
                    raise _no_answer(self._http.base_url, error) from error
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        if answer.is_success:
            return answer
        raise _problem(answer)

    def _stream(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The answer's bytes as they come: not repeated where the connection breaks in the middle."""
        try:
            with self._http.stream("GET", path, params=query) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _problem(answer)
                yield from answer.iter_bytes()
        except httpx.TransportError as error:
            raise _no_answer(self._http.base_url, error) from error

    def _put(self, path: str, model: type[M], body: BaseModel) -> M:
        tree = body.model_dump(mode="json")
        return model.model_validate_json(self._send("PUT", path, json=tree, is_repeatable=True).content)

    def _patch(self, path: str, model: type[M], body: BaseModel) -> M:
        """Of the body only what was set: the rest stays as it is."""
        tree = body.model_dump(mode="json", exclude_unset=True)
        return model.model_validate_json(self._send("PATCH", path, json=tree, is_repeatable=True).content)


def _no_answer(url: httpx.URL, error: Exception) -> ApiError:
    return ApiError(
        0,
        "unreachable",
        f"No answer from {url}: {error}. Is PARACLOUD_URL, or `login --url`, right?",
        f"{url} 没有响应（{error}）。请检查 PARACLOUD_URL 或 login --url。",
    )


def _problem(answer: httpx.Response) -> ApiError:
    try:
        tree = json.loads(answer.content)
        return ApiError(answer.status_code, tree["code"], tree["detail"], tree["detail_zh"], tree.get("field"))
    except (ValueError, KeyError, TypeError):
        text = f"The server answered {answer.status_code}."
        return ApiError(answer.status_code, "unknown", text, f"服务器返回 {answer.status_code}。")

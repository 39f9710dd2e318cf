"""The edge of the API: every answer has its number, and a body that is too large is stopped before it is read."""

from typing import Any, cast

import httpx
import pytest

from paracloud.api.application import BODY_LIMIT_BYTES, build


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = build(cast(Any, None))  # nothing here reaches what the routes need
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge")


async def test_every_answer_has_a_number_of_its_own(client: httpx.AsyncClient) -> None:
    answers = [await client.get(path) for path in ("/healthz", "/healthz", "/api/v1/nowhere")]
    assert [one.status_code for one in answers] == [200, 200, 404]
    assert len({one.headers["X-Request-ID"] for one in answers}) == 3


async def test_a_body_that_is_too_large_is_not_read(client: httpx.AsyncClient) -> None:
    async def endless():
        raise AssertionError("somebody read it")
        yield b""

    headers = {"Content-Length": str(BODY_LIMIT_BYTES + 1)}
    answer = await client.post("/api/v1/jobs", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["X-Request-ID"]


async def test_a_body_that_does_not_say_its_length_is_not_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/jobs", content=b"{}", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 413

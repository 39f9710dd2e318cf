"""What no rule allows changes nothing, and the answer says in two languages what to change."""

import json
import re
from collections.abc import Mapping
from itertools import product
from typing import Any

import httpx
from tests.paracloud.api.house import House, Tenant, job, nobodys
from tests.paracloud.jobs.world import SCRIPT

from paracloud.api.problems import MEDIA_TYPE

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"([A-Za-z]+ ){3}[A-Za-z]+")
FRAMEWORKS = re.compile(r"Input should|Value error|\w+ should have|not permitted|Field required|JSON decode")
HUGE = "9" * 400

OPTIONS: dict[str, list[Mapping[str, str]]] = {
    "partition": [{"partition": one} for one in ("nowhere", "", "a b", "cpu;rm -rf /", "分区")]
    + [{"partition": "cpu", "ntasks": "17"}, {"partition": "cpu", "time": "1-00:01"}]
    + [{"partition": "cpu", "cpus-per-task": "5"}, {"partition": "cpu", "nodes": "5"}],
    "ntasks": [{"ntasks": one} for one in ("0", "-1", "1.5", "1e3", "eight", "٣", "1000001", HUGE, "", "0x10", "1 2")],
    "nodes": [{"nodes": one} for one in ("0", "-2", "100001", HUGE, "1-4", "")],
    "cpus-per-task": [{"cpus-per-task": one} for one in ("0", "-4", "4097", HUGE)],
    "time": [{"time": one} for one in ("0", "-10", "UNLIMITED", "infinite", "soon", "367-0", HUGE, "1:2:3:4", "")],
    "mem": [{"mem": one} for one in ("0", "-1G", "1025T", "lots", HUGE)],
    "gres": [{"gres": one} for one in ("gpu:0", "gpu:-1", f"gpu:{HUGE}", "fpga:1", "gpu:1,gpu:2")],
    "array": [{"array": one} for one in ("0-10000", "5-1", "-1", "0-9:0", "a-b", "0-4000001", f"0-{HUGE}", "", "1%0")],
    "dependency": [{"dependency": one} for one in (f"afterok:{nobodys()}", "afterok:12", "singleton", "afterok:")],
    "output": [{"output": one} for one in ("/etc/passwd", "../x", "a/../../x", "a\\b", "a\nb", "")],
    "job-name": [{"job-name": one} for one in ("", " ", "a\nb", "a\tb", "\x1b[31m", "a\u2028b", "x" * 201)],
    "qos": [{"qos": one} for one in ("a\nb", "x" * 3000)],
    "exclusive": [{"exclusive": "user"}],
    "wrap": [{"wrap": "true"}],
    "cluster": [{"cluster": "other"}],
    "nosuch": [{"nosuch": "1"}],
}
SCRIPTS: dict[str, str] = {
    "of ten megabytes": "#!/bin/sh\n" + "#" * (10 << 20),
    "just too long": "#" * ((1 << 20) + 1),
    "too long in bytes": "#!/bin/sh\n#" + "超" * (1 << 19),
    "empty": "",
    "blank": "  \n\n",
    "of no interpreter": "hello\n",
    "with NUL": "#!/bin/sh\ntrue\0\n",
    "of binary junk": "".join(map(chr, range(256))) * 100,
    "with half a surrogate": "#!/bin/sh\necho \ud800\n",
    "with an unknown option": "#!/bin/sh\n#SBATCH --tiem=10\n",
    "with an open quote": '#!/bin/sh\n#SBATCH --job-name="x\n',
    "asking for no time": "#!/bin/sh\n#SBATCH --time=0\n",
}
FIELDS: dict[str, list[Mapping[str, Any]]] = {
    "project": [{"project": one} for one in (None, "", 7, "junk", HUGE, [], {})],
    "script": [{"script": one} for one in (None, 7, ["a"])],
    "name": [{"name": one} for one in (None, 7, "x" * 201, "a\0b", "\ud800")],
    "centre": [{"centre": one} for one in ("nowhere", "$(reboot)", 7, "x" * 201)],
    "objective": [{"objective": one} for one in ("fastest", 1)],
    "options": [{"options": one} for one in (None, [], {"time": 10}, {"a\0": "1"}, {str(n): "" for n in range(101)})],
    "environment": [
        {"environment": one}
        for one in ({"1A": "x"}, {"A B": ""}, {"SLURM_JOB_ID": "1"}, {"LONG": "x" * (1 << 17)}, {"A": "\0"}, {"": ""})
    ],
    "inputs": [
        {"inputs": [{"path": path, "sha256": "0" * 64, "size_bytes": 1}]}
        for path in ("missing.dat", "../up", "/etc/passwd", "a\nb", "")
    ]
    + [{"inputs": [{"path": "a", "sha256": "0" * 64, "size_bytes": 1}] * 2}],
    "surplus": [{"surplus": 1}],
}  # fmt: skip
BODIES = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b'{"project": }', "application/json"),
    (b"\x00\xff\xfe" * 100, "application/json"),
    (b"[" * 100_000, "application/json"),
    (b"[]", "application/json"),
    (b"null", "application/json"),
    (b"9" * 5000, "application/json"),
    (b'{"project": NaN}', "application/json"),
    (b"project=1&script=2", "application/x-www-form-urlencoded"),
    (SCRIPT.encode(), "text/plain"),
    (b"{}", "application/octet-stream"),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
]
NUMBERS = [
    ("GET", "/jobs", {"limit": one}) for one in ("0", "-1", "201", "1.5", HUGE, "many", "")
] + [("GET", "/jobs", {"cursor": one}) for one in ("junk", "0", "", "' OR 1=1 --", HUGE)] + [
    ("GET", "/jobs", {"state": "resting"}), ("GET", "/jobs", {"project": "junk"}),
]  # fmt: skip


def problem(answer: httpx.Response, *, status: int = 422) -> dict[str, Any]:
    """A whole problem document: for programs, and for people in two languages."""
    assert answer.status_code == status, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == MEDIA_TYPE
    document = answer.json()
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["code"]
    assert document["title"]
    assert document["detail"].endswith((".", "?"))
    assert not CHINESE.search(document["detail"])
    assert CHINESE.search(document["detail_zh"])
    assert not ENGLISH.search(document["detail_zh"]), document["detail_zh"]
    assert not FRAMEWORKS.search(document["detail"] + document["detail_zh"]), document
    assert len(answer.content) < 4096, "an answer does not repeat what it was sent"
    return document


async def refuse(house: House, who: Tenant, body: Mapping[str, Any], *, statuses=(422,)) -> list[dict[str, Any]]:
    """What a submission and a quote answer; nothing is changed by either."""
    before = await house.contents()
    raw = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answers = [await house.ask(who, "POST", path, content=raw, headers=headers) for path in ("/jobs", "/quotes")]
    assert await house.contents() == before
    assert answers[0].status_code in statuses, answers[0].text[:500]
    return [problem(one, status=one.status_code) for one in answers if one.status_code >= 400]


async def test_an_option_that_cannot_be_is_named(house: House, lin: Tenant) -> None:
    for field, options in [(field, options) for field, found in OPTIONS.items() for options in found]:
        found = await refuse(house, lin, job(lin, options=options), statuses=(413, 422))
        assert found[0].get("field") == field, (options, found[0])


async def test_a_script_that_is_none_is_refused(house: House, lin: Tenant) -> None:
    for what, script in SCRIPTS.items():
        found = await refuse(house, lin, job(lin, script=script), statuses=(413, 422))
        assert found, what


async def test_a_field_that_cannot_be_is_named(house: House, lin: Tenant) -> None:
    for field, changes in [(field, changes) for field, found in FIELDS.items() for changes in found]:
        found = await refuse(house, lin, job(lin, **changes), statuses=(413, 422))
        assert re.split(r"[.\[]", found[0].get("field", ""))[0] == field, (changes, found[0])


async def test_a_body_that_is_no_request_is_refused(house: House, lin: Tenant) -> None:
    before = await house.contents()
    for path, (content, kind) in product(("/jobs", "/quotes", "/tokens"), BODIES):
        answer = await house.ask(lin, "POST", path, content=content, headers={"Content-Type": kind})
        problem(answer, status=422 if answer.status_code == 422 else 400)
    assert await house.contents() == before


async def test_numbers_and_cursors_of_a_list_are_read_strictly(house: House, lin: Tenant) -> None:
    for method, path, query in NUMBERS:
        answer = await house.ask(lin, method, path, params=query)
        assert re.split(r"[.\[]", problem(answer)["field"])[0] == next(iter(query))


async def test_an_id_that_is_none_is_refused(house: House, lin: Tenant) -> None:
    for path in ("/jobs/junk", f"/jobs/{HUGE}", "/jobs/%00", "/projects/1/balance", "/jobs/junk/files"):
        problem(await house.ask(lin, "GET", path))
    problem(await house.ask(lin, "GET", "/nowhere"), status=404)
    problem(await house.ask(lin, "PATCH", "/jobs"), status=405)


async def test_a_time_before_all_times_is_refused(house: House, lin: Tenant) -> None:
    path = f"/projects/{lin.project}/statement"
    for end in ("2000-01-01T00:00:00Z", "2000-01-01T01:00:00+14:00", "1999-12-31T00:00:00Z", "2201-01-01T00:00:00Z"):
        assert problem(await house.ask(lin, "GET", path, params={"end": end}))["field"] == "end"
    answer = await house.ask(lin, "GET", path, params={"end": "2000-01-02T00:00:00Z"})
    assert answer.json()["start"] == "2000-01-01T00:00:00Z"


async def test_a_month_and_a_day_are_asked_for_by_an_example(house: House, lin: Tenant) -> None:
    paths = {
        f"/projects/{lin.project}/statements/2016-1": ("write it as 2026-06", "请写成 2026-06"),
        "/usage/report?from=2026-06-01T08:00": ("write a day such as 2026-06-01", "请写成日期，例如 2026-06-01"),
        "/usage/report?from=soon": ("write a day such as 2026-06-01", "请写成日期，例如 2026-06-01"),
    }
    for path, told in paths.items():
        answer = await house.ask(lin, "GET", path)
        problem(answer)
        assert all(text in answer.text for text in told), answer.text

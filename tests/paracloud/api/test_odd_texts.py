"""What is odd and harmless is accepted and kept to the letter; what costs too much says by how much."""

from hashlib import sha256

import pytest
from tests.paracloud.api.house import House, Person, Tenant, job, nobodys
from tests.paracloud.api.test_bad_input import problem
from tests.paracloud.jobs.world import SCRIPT

from paracloud.kit.money import Money

NAMES = (
    "熔体 第三次", "it's \"quoted\"", "$(reboot)", "`id`", "a|b;c&d", "--help", "-n 4", "a\\b\\n", "%j %x %%", "#x",
    "*?[a]", "'; DROP TABLE jobs; --", "<script>alert(1)</script>", "{{7*7}}", "../..", "émile", "é", "🔬",
    "x" * 200, "null", "0", " a ",
)  # fmt: skip
"""In the request's own field and as an option of sbatch, which is read by other rules."""
TEXTS = ("", " a  b ", "$HOME", "`id`", "a\nb\r\nc\t", "'\"\\", "中文", "x" * 5000, "\x01\x7f", "--x=y")


async def kept(house: House, id_: str, column: str):
    return await house.one(f"SELECT {column} FROM jobs WHERE id = CAST(:id AS uuid)", id=id_)  # noqa: S608


@pytest.mark.parametrize("where", ["name", "options"])
async def test_a_harmless_name_is_kept_exactly(house: House, lin: Tenant, where: str) -> None:
    for name in NAMES:
        id_ = await house.submit(lin, **({"name": name} if where == "name" else {"options": {"job-name": name}}))
        shown = (await house.ask(lin, "GET", f"/jobs/{id_}")).json()["job"]["name"]
        listed = (await house.ask(lin, "GET", "/jobs", params={"limit": 1})).json()["items"][0]["name"]
        assert (shown, listed, await kept(house, id_, "name")) == (name, name, name)


async def test_a_name_of_several_lines_is_refused(house: House, lin: Tenant) -> None:
    for name in ("a\nb", "a\r", "\x1b[2J", "a\x85b", "\u202eabc", " "):
        problem(await house.ask(lin, "POST", "/jobs", json=job(lin, name=name)))


async def test_a_script_is_kept_to_the_byte(house: House, lin: Tenant) -> None:
    for script in (
        SCRIPT,
        "#!/bin/bash\necho 中文 '$(x)' \\\n\t`y`  \n\n",
        "#!/bin/sh\n" + "# é\n" * 1000,
        "#!/bin/sh",
    ):
        assert await kept(house, await house.submit(lin, script=script), "script") == script


async def test_line_ends_of_windows_are_mended_and_told(house: House, lin: Tenant) -> None:
    answer = (await house.ask(lin, "POST", "/jobs", json=job(lin, script="#!/bin/sh\r\ntrue\r\n"))).json()
    assert await kept(house, answer["id"], "script") == "#!/bin/sh\ntrue\n"
    assert "script" in [one["field"] for one in answer["notices"]]


async def test_variables_are_kept_exactly(house: House, lin: Tenant) -> None:
    variables = {f"V{number}": text for number, text in enumerate(TEXTS)}
    id_ = await house.submit(lin, environment=variables)
    assert await kept(house, id_, "spec->'environment'") == variables


async def test_too_little_money_says_how_much_is_missing_and_takes_none(house: House, boss: Person) -> None:
    poor = await house.tenant("poor", funds="0.100001")
    before = await house.contents()
    for cores, missing in ((1, 259_999), (4, 1_339_999)):
        answer = await house.ask(poor, "POST", "/jobs", json=job(poor, options={"ntasks": str(cores)}))
        found = problem(answer, status=402)
        assert found["extra"] == {"missing_micro": missing, "currency": "CNY"}
        assert f" {Money(missing)} CNY is missing" in found["detail"]
        assert f"还差 {Money(missing)} CNY" in found["detail_zh"]
    assert await house.contents() == before
    payment = {"project": str(poor.project), "amount": "0.259999", "key": "rest"}
    assert (await house.ask(boss, "POST", "/operator/top-ups", json=payment)).status_code == 201
    await house.submit(poor)


async def test_another_tenants_things_are_no_part_of_a_job(house: House, lin: Tenant, wang: Tenant) -> None:
    theirs, blob = await house.submit(wang), await house.blob(wang, b"theirs")
    before = await house.contents()
    inputs = [{"path": "a", "sha256": blob, "size_bytes": 6}]
    nothing = [{"path": "a", "sha256": sha256(b"nobody's").hexdigest(), "size_bytes": 6}]
    for changes, absent in (
        ({"options": {"dependency": f"afterok:{theirs}"}}, {"options": {"dependency": f"afterok:{nobodys()}"}}),
        ({"inputs": inputs}, {"inputs": nothing}),
    ):
        answers = [await house.ask(lin, "POST", "/jobs", json=job(lin, **one)) for one in (changes, absent)]
        found = [problem(one) for one in answers]
        assert found[0]["field"] == found[1]["field"]
        assert len(found[0]["detail"]) == len(found[1]["detail"])
    assert await house.contents() == before


async def test_an_upload_that_is_not_what_it_says_is_not_kept(house: House, lin: Tenant) -> None:
    before = await house.contents()
    base, name = f"/projects/{lin.project}/blobs", sha256(b"said").hexdigest()
    problem(await house.ask(lin, "PUT", f"{base}/{name}", content=b"sent"))
    problem(await house.ask(lin, "PUT", f"{base}/{name}", content=b"x" * ((1 << 20) + 1)), status=413)
    problem(await house.ask(lin, "PUT", f"{base}/{name.upper()}", content=b"said"), status=404)
    problem(await house.ask(lin, "PUT", f"{base}/..%2f..%2fetc", content=b"said"), status=404)
    assert (await house.ask(lin, "HEAD", f"{base}/{name}")).status_code == 404
    assert await house.contents() == before
    assert await house.blob(lin, b"said") == name


@pytest.mark.parametrize("amount", ["0", "-1", "1e3", "NaN", "Infinity", "0.0000001", "1,00", "١", "9" * 24, "", " 1"])
async def test_an_amount_that_is_none_moves_no_money(house: House, lin: Tenant, boss: Person, amount: str) -> None:
    before = await house.contents()
    body = {"project": str(lin.project), "amount": amount, "key": "x"}
    assert problem(await house.ask(boss, "POST", "/operator/top-ups", json=body))["field"] == "amount"
    assert await house.contents() == before


ODD = ("", " ", " cpu", "cpu ", "a\nb", "\x1b[31mcpu", "a\u200bb", "x" * 101)
NAMED = {
    "prices": (
        {"centre": "east", "queue": "分区 1", "is_unseen": True, "core_hour": "1", "qos": "high"},
        ("queue", "qos"),
    ),
    "contracts": ({"centre": "east", "share_basis_points": 1, "queue": "x" * 100, "is_unseen": True}, ("queue",)),
    "packages": ({"name": "p", "amount": "1", "expires_at": "2100-01-01T00:00:00Z", "queue": "cpu"}, ("queue",)),
    "dedications": (
        {"centre": "east", "queue": "long", "nodes": 4, "monthly": "0", "share_basis_points": 0}, ("queue",),
    ),
    "top-ups": ({"amount": "1", "key": "2026/06-0001 招行"}, ("key",)),
}  # fmt: skip


@pytest.mark.parametrize("what", NAMED)
async def test_nothing_unseen_is_in_what_people_compare_by_eye(house: House, boss, lin: Tenant, what: str) -> None:
    body, fields = NAMED[what]
    of = {"project": str(lin.project)} if what in ("packages", "dedications", "top-ups") else {}
    for field in fields:
        for odd in ODD:
            found = problem(await house.ask(boss, "POST", f"/operator/{what}", json=body | of | {field: odd}))
            assert (found["field"], "1 to 100 printable" in found["detail"]) == (field, True)
            assert "可见字符" in found["detail_zh"]
    if what == "packages":
        body = body | {"centre": "east"}
    made = await house.ask(boss, "POST", f"/operator/{what}", json=body | of)
    assert made.status_code == 201, made.text


async def test_a_payment_to_a_centre_has_a_number_that_can_be_read(house: House, boss) -> None:
    for odd in ODD:
        answer = await house.ask(boss, "POST", f"/operator/settlements/{nobodys()}:pay", json={"payment": odd})
        assert problem(answer)["field"] == "payment"

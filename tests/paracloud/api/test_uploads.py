"""What a project may upload."""

from hashlib import sha256

from tests.paracloud.api.house import House, Tenant


async def test_a_project_keeps_no_more_than_it_may(house: House, lin: Tenant, wang: Tenant) -> None:
    files = [bytes([number]) * (1 << 20) for number in range(3)]
    where = [f"/projects/{lin.project}/blobs/{sha256(one).hexdigest()}" for one in files]
    pairs = zip(where, files, strict=True)
    statuses = [(await house.ask(lin, "PUT", path, content=one)).status_code for path, one in pairs]
    assert statuses == [201, 201, 413]
    assert (await house.ask(lin, "HEAD", where[2])).status_code == 404
    assert (await house.ask(lin, "PUT", where[0], content=files[0])).status_code == 201
    elsewhere = where[2].replace(str(lin.project), str(wang.project))
    assert (await house.ask(wang, "PUT", elsewhere, content=files[2])).status_code == 201

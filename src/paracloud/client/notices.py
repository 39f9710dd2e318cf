"""Notices, as a typed call."""

from uuid import UUID

from paracloud.client.calls import Calls
from paracloud.wire.notices import NoticeList


class NoticeCalls(Calls):
    """What `paracloud.client.client.Client` can ask of notices."""

    def notices(self, project: UUID, *, after: int = 0, limit: int = 50) -> NoticeList:
        return self._get(f"/projects/{project}/notices", NoticeList, {"after": after, "limit": limit})

"""What a centre was connected with."""

from urllib.parse import quote

from paracloud.client.calls import Calls
from paracloud.wire.terms import TermsModel, TermsRequest


class TermCalls(Calls):
    def terms(self, centre: str) -> TermsModel:
        return self._get(_path(centre), TermsModel)

    def change_terms(self, centre: str, body: TermsRequest) -> TermsModel:
        return self._patch(_path(centre), TermsModel, body)


def _path(centre: str) -> str:
    return f"/operator/centres/{quote(centre, safe='')}"

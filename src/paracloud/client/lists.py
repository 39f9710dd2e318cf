"""What there is, as typed calls of the operator."""

from uuid import UUID

from paracloud.client.calls import Calls
from paracloud.wire.lists import OrganisationList, PackageList, ProjectList


class ListCalls(Calls):
    """What `paracloud.client.client.Client` can list."""

    def organisations(self) -> OrganisationList:
        return self._get("/operator/organisations", OrganisationList)

    def projects(self) -> ProjectList:
        return self._get("/operator/projects", ProjectList)

    def packages(self, project: UUID | None = None) -> PackageList:
        return self._get("/operator/packages", PackageList, {} if project is None else {"project": str(project)})

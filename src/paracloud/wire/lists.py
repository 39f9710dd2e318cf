"""What there is, as lists for the operator, on the wire."""

from uuid import UUID

from paracloud.wire.base import Model
from paracloud.wire.paying import PackageModel


class OrganisationModel(Model):
    id: UUID
    name: str
    category: str


class OrganisationList(Model):
    items: list[OrganisationModel]


class OwnedProjectModel(Model):
    id: UUID
    name: str
    organisation: UUID
    organisation_name: str


class ProjectList(Model):
    items: list[OwnedProjectModel]


class OwnedPackageModel(PackageModel):
    project: UUID


class PackageList(Model):
    items: list[OwnedPackageModel]

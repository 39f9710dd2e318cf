"""What there is, as lists for the operator, on the wire."""

from uuid import UUID

from paracloud.wire.base import Model, MoneyModel, Time
from paracloud.wire.paying import PackageModel
from paracloud.wire.tariffs import TierModel


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


class ContractModel(Model):
    """`queue` None: for all queues without a contract of their own. For a whole month: `share_tiers`, `minimum` and
    `fixed`."""

    id: UUID
    centre: str
    queue: str | None
    share_basis_points: int
    owner: UUID | None
    owner_basis_points: int
    share_tiers: list[TierModel] | None
    minimum: MoneyModel
    fixed: MoneyModel
    valid_from: Time
    valid_to: Time | None


class ContractList(Model):
    items: list[ContractModel]


class OwnedPackageModel(PackageModel):
    project: UUID


class PackageList(Model):
    items: list[OwnedPackageModel]

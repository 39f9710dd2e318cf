"""The columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification, https://focus.finops.org): which there are,
whether they must be there, whether they may be null, of what type, and the values that they may have."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Mandatory columns are always there; conditional ones where a provider has what they are about."""

    MANDATORY = "Mandatory"
    CONDITIONAL = "Conditional"
    RECOMMENDED = "Recommended"


class Type(StrEnum):
    STRING = "String"
    CURRENCY = "currency code of ISO 4217 (three capital letters)"
    DECIMAL = "Decimal"
    TIME = "Date/Time"
    JSON = "JSON"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    level: Level
    type: Type
    is_nullable: bool
    allowed: frozenset[str] = frozenset()


# name, level (M, C, R), type (S, C, D, T, J), and "?" where it may be null
_COLUMNS = """
AvailabilityZone RS?
BilledCost MD
BillingAccountId MS
BillingAccountName MS?
BillingAccountType CS
BillingCurrency MC
BillingPeriodEnd MT
BillingPeriodStart MT
CapacityReservationId CS?
CapacityReservationStatus CS?
ChargeCategory MS
ChargeClass MS?
ChargeDescription MS?
ChargeFrequency RS
ChargePeriodEnd MT
ChargePeriodStart MT
CommitmentDiscountCategory CS?
CommitmentDiscountId CS?
CommitmentDiscountName CS?
CommitmentDiscountQuantity CD?
CommitmentDiscountStatus CS?
CommitmentDiscountType CS?
CommitmentDiscountUnit CS?
ConsumedQuantity CD?
ConsumedUnit CS?
ContractedCost MD
ContractedUnitPrice CD?
EffectiveCost MD
InvoiceId RS?
InvoiceIssuerName MS
ListCost MD
ListUnitPrice CD?
PricingCategory CS?
PricingCurrency CS?
PricingCurrencyContractedUnitPrice CD?
PricingCurrencyEffectiveCost CD?
PricingCurrencyListUnitPrice CD?
PricingQuantity MD?
PricingUnit MS?
ProviderName MS
PublisherName MS
RegionId CS?
RegionName CS?
ResourceId CS?
ResourceName CS?
ResourceType CS?
ServiceCategory MS
ServiceName MS
ServiceSubcategory RS
SkuId CS?
SkuMeter CS?
SkuPriceDetails CJ?
SkuPriceId CS?
SubAccountId CS?
SubAccountName CS?
SubAccountType CS?
Tags CJ?
"""
_CATEGORIES = frozenset({
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
    "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration",
    "Mobile", "Networking", "Security", "Storage", "Web", "Other",
})  # fmt: skip
_ALLOWED = {
    "CapacityReservationStatus": frozenset({"Used", "Unused"}),
    "ChargeCategory": frozenset({"Usage", "Purchase", "Tax", "Credit", "Adjustment"}),
    "ChargeClass": frozenset({"Correction"}),
    "ChargeFrequency": frozenset({"One-Time", "Recurring", "Usage-Based"}),
    "CommitmentDiscountCategory": frozenset({"Spend", "Usage"}),
    "CommitmentDiscountStatus": frozenset({"Used", "Unused"}),
    "PricingCategory": frozenset({"Standard", "Dynamic", "Committed", "Other"}),
    "ServiceCategory": _CATEGORIES,
}
_LEVELS = {level.value[0]: level for level in Level}
_TYPES = {"S": Type.STRING, "C": Type.CURRENCY, "D": Type.DECIMAL, "T": Type.TIME, "J": Type.JSON}


def _column(line: str) -> Column:
    name, _, facts = line.partition(" ")
    return Column(name, _LEVELS[facts[0]], _TYPES[facts[1]], facts.endswith("?"), _ALLOWED.get(name, frozenset()))


COLUMNS = {one.name: one for one in map(_column, _COLUMNS.split("\n")[1:-1])}
WRITTEN = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
    "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountName", "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType",
    "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost", "InvoiceId",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
    "ServiceCategory", "ServiceName", "SkuId", "SkuMeter", "SkuPriceId", "SubAccountId", "SubAccountName",
    "SubAccountType", "x_ChargeId", "x_Queue", "x_Revision", "x_User",
)  # fmt: skip
"""In this order. ServiceSubcategory, which is recommended only, has no value for batch computing."""

"""Quotes on the wire."""

from paracloud.wire.base import Model, MoneyModel, Time
from paracloud.wire.jobs import NoticeModel


class ExpectedModel(Model):
    """Of half of the jobs like it (`p50`), and of nine in ten (`p90`). An array's times are those of one of its tasks.
    `finish`: the files are there, it has waited, it has run."""

    wait_p50_seconds: int
    wait_p90_seconds: int
    run_p50_seconds: int
    run_p90_seconds: int
    finish_p50: Time
    finish_p90: Time
    cost_p50: MoneyModel
    cost_p90: MoneyModel
    model: str


class OfferModel(Model):
    """`most`: the most that the job can cost, whoever pays; the wallet gives `from_wallet` of it at most, packages and
    credits the rest. `core_hour` and `card_hour`, or `rule`: the price that is applied. `moving_seconds`: how long the
    inputs take to get there. `expected` is null where nobody foresees."""

    centre: str
    queue: str
    region: str
    most: MoneyModel
    from_wallet: MoneyModel
    core_hour: str | None
    card_hour: str | None
    rule: dict[str, object] | None
    moving_seconds: int
    expected: ExpectedModel | None
    is_in_time: bool | None
    """Whether nine in ten are done by the deadline; null where there is none."""
    free_cores: int
    cores: int


class RejectionModel(Model):
    centre: str
    queue: str
    en: str
    zh: str


class QuoteModel(Model):
    """A page: `offers` in order of preference, and after the last of them those that are `rejected`; how many
    of either come on later pages. `next` is the cursor of the next page; null on the last."""

    offers: list[OfferModel]
    rejected: list[RejectionModel]
    offers_left: int
    rejected_left: int
    next: str | None
    why_en: str
    why_zh: str
    notices: list[NoticeModel]

"""Hours paid in advance, from the wallet; and credits, which are given."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_paying
from paracloud.billing.cover import Package, Unit
from paracloud.billing.entry import Entry, package, wallet
from paracloud.billing.funding import credit_line
from paracloud.billing.known_queue import known_queue
from paracloud.billing.post import post
from paracloud.kit.errors import Invalid, NotEnoughFunds
from paracloud.kit.money import MICRO, Money

MOST_UNITS = 10**15
"""Some 278 thousand million core-hours; or a thousand million yuan of credit."""
SECONDS_AN_HOUR = 3600
LONGEST_NAME = 100


async def sell_package(
    session: AsyncSession, wanted: Package, *, person: str, now: datetime, is_unseen: bool = False
) -> None:
    """The price moves from the wallet to the package, and from there to the centre and the platform as it is used.
    Invalid for what cannot be meant, and for a queue that is not known (`is_unseen`: see known_queue); NotEnoughFunds
    where the wallet and its credit line have less than the price."""
    _check(wanted, now)
    if wanted.centre is not None and wanted.queue is not None:
        await known_queue(session, wanted.centre, wanted.queue, is_unseen=is_unseen)
    code, price = wallet(wanted.project), Money(wanted.price_micro, wanted.currency)
    locked = await store.locked(session, {code: wanted.currency, package(wanted.id): wanted.currency})
    left = Money(locked[code].balance_micro + await credit_line(session, wanted.project), wanted.currency)
    if price.micro and left.micro < price.micro:
        raise _missing(left, price)
    try:
        async with session.begin_nested():
            await store_paying.add_package(session, wanted)
    except IntegrityError as error:
        raise Invalid("There is no such project or centre.", "课题组或超算中心不存在。", field="project") from error
    postings = {code: -price.micro, package(wanted.id): price.micro}
    entry = Entry(f"package:{wanted.id}", "package", wanted.currency, postings, reference=str(wanted.id), person=person)
    await post(session, [entry], now=now, locked={of: account.id for of, account in locked.items()})


def _check(wanted: Package, now: datetime) -> None:
    if not 0 < wanted.total <= MOST_UNITS or wanted.used or wanted.reserved:
        unit_en, unit_zh = ("yuan", "元") if wanted.unit is Unit.MICRO else ("hours", "小时")
        most = MOST_UNITS // (MICRO if wanted.unit is Unit.MICRO else SECONDS_AN_HOUR)
        raise Invalid(
            f"amount: more than nothing, and at most {most} {unit_en}.",
            f"amount：必须大于零，且不超过 {most} {unit_zh}。",
            field="amount",
        )
    if wanted.price_micro < 0 or (wanted.unit is Unit.MICRO and wanted.price_micro):
        raise Invalid("price: nothing or more; a credit is given.", "price：不得为负；赠送额度不收费。", field="price")
    if not wanted.name.strip() or len(wanted.name) > LONGEST_NAME:
        raise Invalid(f"name: 1 to {LONGEST_NAME} letters.", f"name：1 到 {LONGEST_NAME} 个字符。", field="name")
    if wanted.expires_at <= max(wanted.valid_from, now):
        raise Invalid(
            "expires_at: later than its beginning, and than now.",
            "expires_at：必须晚于生效时间，且晚于现在。",
            field="expires_at",
        )
    if wanted.queue is not None and wanted.centre is None:
        raise Invalid("centre: which centre's queue is meant?", "centre：请指明队列所属的超算中心。", field="centre")


def _missing(left: Money, price: Money) -> NotEnoughFunds:
    missing = price - left
    return NotEnoughFunds(
        f"The package costs {price} {price.currency}, {left} is available: top up {missing} first.",
        f"该资源包价格为 {price} {price.currency}，可用余额 {left}，请先充值 {missing}。",
        missing_micro=missing.micro,
        currency=price.currency,
    )

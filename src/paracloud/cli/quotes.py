"""A quote and a forecast for people: in 80 columns, what half of such jobs get above what nine in ten get."""

import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from paracloud.cli import show
from paracloud.cli.words import plain, say
from paracloud.wire.quotes import OfferModel, QuoteModel

Rules = list[dict[str, object]]


def show_quote(found: QuoteModel) -> None:
    rules: Rules = []
    rows = [(f"{o.centre}/{o.queue}", _hours(o, rules), _most(o), *_expected(o)) for o in found.offers]
    if rows:
        show.table(["where", "core/card", "most", "cost", "wait", "done by (UTC)"], rows)
        _notes(found.offers, rules)
        show.console.print(plain(say(found.why_en, found.why_zh)))
    if found.rejected:
        show.table(["centre", "queue", "why not"], [(r.centre, r.queue, say(r.en, r.zh)) for r in found.rejected])
    if found.next is not None:
        en = f"More places that fit: {found.offers_left}; that do not: {found.rejected_left}. To see them: "
        zh = f"另有可选资源 {found.offers_left} 个，不满足要求的 {found.rejected_left} 个。续看："
        show.console.print(plain(say(en, zh) + f"--cursor {shlex.quote(found.next)}"), markup=False, soft_wrap=True)


def short(amount: str) -> str:
    """All of it, without the zeros at its end."""
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}:{seconds:02}"


def _hours(of: OfferModel, rules: Rules) -> str:
    """Of a core and a card; a rule stands below the table, under its number."""
    if of.rule is not None:
        if of.rule not in rules:
            rules.append(of.rule)
        number = rules.index(of.rule) + 1
        return say(f"rule {number}", f"规则 {number}")
    return "/".join(short(one) for one in (of.core_hour, of.card_hour) if one is not None)


def _most(of: OfferModel) -> str:
    most = f"{short(of.most.amount)} {of.most.currency}"
    if of.from_wallet == of.most:
        return most
    return f"{most}\n{say('wallet', '钱包')} {short(of.from_wallet.amount)}"


def _expected(of: OfferModel) -> tuple[str | None, str | None, str | None]:
    """The way of the files is waited for too."""
    found = of.expected
    if found is None:
        return None, None, None
    late = say(" late", " 超期") if of.is_in_time is False else ""
    return (
        f"{short(found.cost_p50.amount)}\n{short(found.cost_p90.amount)}",
        f"{clock(of.moving_seconds + found.wait_p50_seconds)}\n{clock(of.moving_seconds + found.wait_p90_seconds)}",
        f"{_minute(found.finish_p50)}\n{_minute(found.finish_p90)}{late}",
    )


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%m-%d %H:%M}"


def _notes(offers: Sequence[OfferModel], rules: Rules) -> None:
    for number, rule in enumerate(rules, 1):
        told = json.dumps(rule, ensure_ascii=False)
        show.console.print(plain(say(f"Rule {number}: {told}", f"规则 {number}：{told}")))
    models = sorted({one.expected.model for one in offers if one.expected is not None})
    if models:
        by = ", ".join(models)
        show.console.print(
            plain(
                say(
                    f"Cost, wait, done by: half of such jobs stay below the upper figure, nine in ten below the lower "
                    f"one (model: {by}).",
                    f"费用、排队、完成于：上行为中位数（P50），下行为 P90（模型：{by}）。",
                )
            )
        )

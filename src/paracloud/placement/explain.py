"""The choice in words, for the job's page and the command line: every choice is explained and stored with the job."""

from dataclasses import dataclass

from paracloud.kit.money import Money
from paracloud.placement.expected import Expected, expected, starts_now
from paracloud.placement.offer import Choice, Need, Objective, Offer, Reason
from paracloud.placement.texts import clock, moment

BEST = {
    Objective.CHEAPEST: ("the cheapest", "最便宜"),
    Objective.SOONEST: ("the soonest", "最快开始"),
    Objective.BALANCED: ("the best by cost and time together", "兼顾费用与时间最优"),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that a job can cost: `from_wallet` is money, the rest of `ceiling` packages and credits pay, whose hours
    may have cost more than the price here."""

    ceiling: Money
    from_wallet: Money


def explain(need: Need, choice: Choice, bound: Bound | None = None) -> Reason:
    """Why the first fitting offer was chosen, in English and Chinese. Without a bound the wallet pays it all.
    ValueError where none fits."""
    if not choice.fitting:
        raise ValueError("there is nothing to explain: no offer fits")
    total, out = len(choice.fitting), len(choice.rejected)
    return explain_best(need, choice.fitting[0], choice.objective, (total, out), bound)


def explain_best(
    need: Need, best: Offer, objective: Objective, counts: tuple[int, int], bound: Bound | None = None
) -> Reason:
    """`counts`: how many offers fit, this one and those after it; how many did not."""
    total, out = counts
    place, hoped = best.place, expected(need, best)
    en, zh = _as_best(need, objective, hoped)
    most_en, most_zh = _most(best, bound)
    now_en, now_zh = ("can start now", "可立即开始") if starts_now(need, best) else ("will wait", "需要排队")
    hope_en, hope_zh = _hope(best, hoped)
    return (
        f"{place} is {en} of {total} that fit: {most_en}, {best.free_cores} of {best.cores} cores free, so it "
        f"{now_en}{hope_en}; {out} did not fit.",
        f"{place} 是 {total} 个可选资源中{zh}的：{most_zh}，{best.cores} 核中空闲 {best.free_cores} 核，{now_zh}"
        f"{hope_zh}；另有 {out} 个不满足要求。",
    )


def _as_best(need: Need, objective: Objective, hoped: Expected) -> Reason:
    if objective is not Objective.DEADLINE:
        return BEST[objective]
    assert need.constraints.deadline is not None, "nothing is chosen by a deadline that is not there"  # noqa: S101
    by = moment(need.constraints.deadline)
    if hoped.finish.p90 <= need.time_left:
        return f"the cheapest that is done before {by} in nine cases of ten,", f"十之八九能在 {by} 前完成且最便宜"
    return f"not certain to be done before {by}, as none is, but the likeliest,", f"最可能在 {by} 前完成（均无法确保）"


def _most(best: Offer, bound: Bound | None) -> Reason:
    most = best.most
    assert most is not None, "filter_offers lets only priced offers through"  # noqa: S101
    if bound is None or bound.ceiling == bound.from_wallet:
        text = f"{most} {most.currency}"
        return f"at most {text}", f"最多 {text}"
    currency = bound.ceiling.currency
    return (
        f"at most {bound.ceiling} {currency}, of which packages and credits pay all but {bound.from_wallet}",
        f"最多 {bound.ceiling} {currency}，其中除 {bound.from_wallet} 外均由资源包与试用金支付",
    )


def _hope(best: Offer, found: Expected) -> Reason:
    """Nothing where nothing is foreseen."""
    if best.prediction is None or best.cost is None:
        return "", ""
    cost, late_cost = str(best.cost.p50), str(best.cost.p90)
    start, late_start = clock(found.start.p50), clock(found.start.p90)
    finish, late_finish = clock(found.finish.p50), clock(found.finish.p90)
    return (
        f"; expected {cost} (P90 {late_cost}), start in {start} (P90 {late_start}), "
        f"done in {finish} (P90 {late_finish})",
        f"；预计费用 {cost}（P90 {late_cost}），{start} 后开始（P90 {late_start}），"
        f"{finish} 后完成（P90 {late_finish}）",
    )

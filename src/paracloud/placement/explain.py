"""The choice in words, for the job's page and the command line: every choice is explained and stored with the job."""

from paracloud.placement.choose import starts_now
from paracloud.placement.offer import Choice, Need, Objective


def explain(need: Need, choice: Choice) -> tuple[str, str]:
    """Two sentences, English and Chinese, on why the first fitting offer was chosen. ValueError where none fits."""
    if not choice.fitting:
        raise ValueError("there is nothing to explain: no offer fits")
    best = choice.fitting[0]
    now = starts_now(need, best)
    others, out = len(choice.fitting) - 1, len(choice.rejected)
    match choice.objective:
        case Objective.CHEAPEST:
            en, zh = "the cheapest", "最便宜"
        case Objective.SOONEST:
            en, zh = "the soonest", "最快开始"
    return (
        f"{best.place} is {en} of {others + 1} that fit: at most {best.most} {_currency(choice)}, {best.free_cores} of "
        f"{best.cores} cores free, so it {'can start now' if now else 'will wait'}; {out} did not fit.",
        f"{best.place} 是 {others + 1} 个可选资源中{zh}的：最多 {best.most} {_currency(choice)}，{best.cores} 核中空闲 "
        f"{best.free_cores} 核，{'可立即开始' if now else '需要排队'}；另有 {out} 个不满足要求。",
    )


def _currency(choice: Choice) -> str:
    most = choice.fitting[0].most
    return most.currency if most is not None else ""

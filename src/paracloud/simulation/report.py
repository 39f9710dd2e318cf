"""The policies side by side, as one HTML page without scripts, links or anything from elsewhere.

Chinese and English are both on it; two buttons at its top say which one shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from paracloud.simulation.outcome import Felt, Outcome
from paracloud.simulation.plots import COLOURS, bars, dots
from paracloud.simulation.report_style import STYLE
from paracloud.simulation.workload import Workload

SECONDS_PER_HOUR = 3600
MOST_CENTRES = 40
"""The idlest are plotted: a page of a thousand rows says nothing."""
SLOWER = (
    "Logarithmic; shorter is better. (wait + run) / max(run, 10 s), at least 1.",
    "对数刻度，越短越好。（等待 + 运行）/ max（运行, 10 秒），不小于 1。",
)

Column = tuple[str, str, Callable[[Outcome, Felt], float]]
"""Its head, how its values are written, and whence they come."""


@dataclass(frozen=True, slots=True)
class Played:
    """What was played: by `discipline` at each centre, while `share` of the users used the broker."""

    workload: Workload
    discipline: str
    share: float


def page(played: Played, outcomes: Mapping[str, Outcome], *, in_chinese: bool = False) -> str:
    """A whole HTML document; `in_chinese`: which language shows first."""
    parts = [
        _head(played),
        _table(outcomes, lambda one: one.all, _costs()),
        _section("Mean bounded slowdown", "平均有界延迟比", SLOWER,
                 bars({name: one.all.mean_bounded_slowdown for name, one in outcomes.items()}, "{:.2f}", is_log=True)),
        _section("P95 of bounded slowdown", "有界延迟比 P95", SLOWER,
                 bars({name: one.all.p95_bounded_slowdown for name, one in outcomes.items()}, "{:.1f}", is_log=True)),
        _section("Mean wait, hours", "平均等待（小时）", ("Shorter is better.", "越短越好。"),
                 bars({name: one.all.mean_wait_s / SECONDS_PER_HOUR for name, one in outcomes.items()}, "{:.2f}")),
        _centres(played.workload, outcomes),
        _by_use(outcomes),
    ]  # fmt: skip
    first, second = ("", " checked") if in_chinese else (" checked", "")
    return (
        '<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Placement policies 调度策略对比</title><style>{STYLE}</style></head><body>"
        f'<input type="radio" name="language" id="en"{first}><label for="en">English</label>'
        f'<input type="radio" name="language" id="zh"{second}><label for="zh">中文</label>'
        f"<main>{''.join(parts)}</main></body></html>"
    )


def _both(en: str, zh: str) -> str:
    return f'<span class="en">{escape(en)}</span><span class="zh">{escape(zh)}</span>'


def _head(played: Played) -> str:
    jobs, centres = len(played.workload.jobs), len(played.workload.capacities)
    en = f"{jobs:,} jobs at {centres} centres ({played.discipline}); {played.share:.0%} of users use the broker."
    zh = (
        f"{centres} 个超算中心的 {jobs:,} 个作业，排队规则 {played.discipline}；{played.share:.0%} 的用户使用调度平台。"
    )
    if played.workload.left_out:
        en += f" {played.workload.left_out:,} jobs were left out: they never ran, or are wider than their centre."
        zh += f"另有 {played.workload.left_out:,} 个作业从未运行或超过其中心规模，已排除。"
    if unsaid := played.workload.without_request:
        en += f" {unsaid:,} jobs say no time limit: what they ran is taken for it, as is usual with such traces."
        zh += f"{unsaid:,} 个作业未给出时限：按此类数据的惯例以实际运行时间为准。"
    return f'<h1>{_both("Placement policies side by side", "调度策略对比")}</h1><p class="note">{_both(en, zh)}</p>'


def _table(outcomes: Mapping[str, Outcome], felt: Callable[[Outcome], Felt | None], more: Sequence[Column] = ()) -> str:
    """The best of each column stands out; every policy has its colour. `more`: columns that are not felt by users."""
    columns: list[Column] = [
        (_both("Mean slowdown", "平均延迟比"), "{:.2f}", lambda one, by: by.mean_bounded_slowdown),
        (_both("P95", "P95"), "{:.1f}", lambda one, by: by.p95_bounded_slowdown),
        (_both("Mean wait, h", "平均等待（时）"), "{:.2f}", lambda one, by: by.mean_wait_s / SECONDS_PER_HOUR),
        *more,
    ]
    told = {name: (one, by) for name, one in outcomes.items() if (by := felt(one)) is not None}
    least = [min(value(*pair) for pair in told.values()) for _, _, value in columns[: len(columns) - len(more)]]
    rows = []
    for at, (name, pair) in enumerate(told.items()):
        cells = [f'<th scope="row"><i class="c{at % COLOURS}"></i>{escape(name)}</th>']
        for column, (_, form, value) in enumerate(columns):
            is_best = column < len(least) and value(*pair) == least[column]
            cells.append(f"<td{' class=best' if is_best else ''}>{form.format(value(*pair))}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{title}</th>" for title in (_both("Policy", "策略"), *(title for title, _, _ in columns)))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _costs() -> list[Column]:
    """What a policy takes of all centres together."""
    return [
        (_both("Utilisation", "利用率"), "{:.1%}", lambda one, _: one.utilisation),
        (_both("Moves", "改派"), "{:,}", lambda one, _: one.moves),
        (_both("Submissions per job", "每作业提交"), "{:.2f}", lambda one, _: one.submissions_per_job),
    ]


def _section(en: str, zh: str, note: tuple[str, str], plot: str) -> str:
    return f'<section><h2>{_both(en, zh)}</h2><p class="note">{_both(*note)}</p>{plot}</section>'


def _centres(workload: Workload, outcomes: Mapping[str, Outcome]) -> str:
    """How far centres that stood idle rise, the idlest first."""
    names, first = list(outcomes), next(iter(outcomes.values()))
    order = sorted(range(len(workload.capacities)), key=first.by_centre.__getitem__)[:MOST_CENTRES]
    rows = [(f"{at} · {workload.capacities[at]:,}", [one.by_centre[at] for one in outcomes.values()]) for at in order]
    en = f"Centre · processors, the idlest under {names[0]} first: from there (ring) to where others take it."
    zh = f"中心 · 处理器数，按 {names[0]} 下的空闲程度排列：圆环为起点，圆点为其他策略达到的水平。"
    legend = "".join(
        f'<li><i class="{"ring" if at == 0 else f"c{at % COLOURS}"}"></i>{escape(name)}</li>'
        for at, name in enumerate(names)
    )
    return _section(
        "Utilisation of each centre", "各中心利用率", (en, zh), f'<ul class="legend">{legend}</ul>{dots(rows)}'
    )


def _by_use(outcomes: Mapping[str, Outcome]) -> str:
    """Those who do not use the broker, and those who do."""
    if all(one.others is None for one in outcomes.values()):
        return ""
    without = _section("Users who do not use the broker", "未使用平台的用户",
                       ("Their jobs stay at home. What the broker does to them:", "其作业留在本中心；平台对其影响："),
                       _table(outcomes, lambda one: one.others))  # fmt: skip
    if all(one.brokered is None for one in outcomes.values()):
        return without
    return without + _section("Users who use the broker", "使用平台的用户", ("", ""),
                              _table(outcomes, lambda one: one.brokered))  # fmt: skip

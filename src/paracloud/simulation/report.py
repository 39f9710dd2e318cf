"""The policies side by side, as one HTML page without scripts or links: figures, and plots as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

from paracloud.simulation.outcome import Outcome
from paracloud.simulation.workload import Workload

WIDTH, BAR, GAP, LEFT, RIGHT = 720, 22, 8, 150, 90
COLOURS = ("#2563eb", "#d97706", "#059669", "#7c3aed", "#db2777", "#0891b2", "#65a30d", "#dc2626")
HEADINGS = (
    "Policy 策略", "Mean slowdown 平均", "P95", "Mean wait 平均等待", "Utilisation 利用率", "Moves 迁移",
    "Submissions/job 每作业提交",
)  # fmt: skip
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1e293b;background:#fff}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .6rem;border-bottom:1px solid #cbd5e1;text-align:right}
th:first-child,td:first-child{text-align:left}
h2{margin-top:2rem;font-size:1.1rem}.note{color:#475569}svg{max-width:100%;height:auto}
@media(prefers-color-scheme:dark){body{color:#e2e8f0;background:#0f172a}th,td{border-color:#334155}.note{color:#94a3b8}
svg text{fill:#e2e8f0}}
"""


def page(workload: Workload, outcomes: Mapping[str, Outcome], discipline: str, share: float) -> str:
    """A whole HTML document."""
    capacities = ", ".join(map(str, workload.capacities))
    about = (
        f"{len(workload.jobs)} jobs 个作业 · {len(workload.capacities)} centres 个超算中心 "
        f"({capacities} processors 处理器) · "
        f"{discipline} · {share:.0%} of the users use the broker 的用户使用调度平台"
    )
    parts = [
        "<h1>Placement policies 调度策略对比</h1>",
        f'<p class="note">{escape(about)}</p>',
        _table(outcomes),
        _section("Mean bounded slowdown 平均有界延迟比", "Logarithmic; shorter is better. 对数刻度，越短越好。",
                 _bars({name: one.all.mean_bounded_slowdown for name, one in outcomes.items()}, "{:.2f}", is_log=True)),
        _section("P95 of it", "Logarithmic; shorter is better. 对数刻度，越短越好。",
                 _bars({name: one.all.p95_bounded_slowdown for name, one in outcomes.items()}, "{:.1f}", is_log=True)),
        _section("Mean wait in hours 平均等待（小时）", "",
                 _bars({name: one.all.mean_wait_s / 3600 for name, one in outcomes.items()}, "{:.2f}")),
        _section("Utilisation of each centre 各中心利用率", _rise(outcomes), _grouped(workload, outcomes)),
    ]  # fmt: skip
    if any(one.others is not None for one in outcomes.values()):
        others = {name: one.others.mean_bounded_slowdown for name, one in outcomes.items() if one.others is not None}
        title = "Those who do not use the broker 未使用平台的用户"
        parts.append(_section(title, "Mean bounded slowdown. 平均有界延迟比。", _bars(others, "{:.2f}", is_log=True)))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Placement policies 调度策略对比</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _table(outcomes: Mapping[str, Outcome]) -> str:
    head = "".join(f"<th>{name}</th>" for name in HEADINGS)
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{one.all.mean_bounded_slowdown:.2f}</td>"
        f"<td>{one.all.p95_bounded_slowdown:.1f}</td><td>{one.all.mean_wait_s / 3600:.2f} h</td>"
        f"<td>{one.utilisation:.1%}</td><td>{one.moves}</td><td>{one.submissions_per_job:.2f}</td></tr>"
        for name, one in outcomes.items()
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _section(title: str, note: str, plot: str) -> str:
    said = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<h2>{escape(title)}</h2>{said}{plot}"


def _rise(outcomes: Mapping[str, Outcome]) -> str:
    """How far the idlest centre rises, where there is something to compare with."""
    if "local" not in outcomes or len(outcomes) == 1:
        return ""
    before = outcomes["local"].by_centre
    idlest = min(range(len(before)), key=before.__getitem__)
    said = "; ".join(f"{name} {one.by_centre[idlest]:.1%}" for name, one in outcomes.items() if name != "local")
    return f"Centre 中心 {idlest}, the idlest 最空闲: local {before[idlest]:.1%}; {said}"


def _bars(values: Mapping[str, float], form: str, *, is_log: bool = False) -> str:
    """One bar a name; `is_log`: values of 1 and more."""
    scaled = {name: log10(max(value, 1.0)) if is_log else value for name, value in values.items()}
    most = max(scaled.values(), default=0.0) or 1.0
    room = WIDTH - LEFT - RIGHT
    drawn = [
        _bar(at * (BAR + GAP), name, form.format(values[name]), room * value / most, COLOURS[at % len(COLOURS)])
        for at, (name, value) in enumerate(scaled.items())
    ]
    return _svg(len(values) * (BAR + GAP), drawn)


def _grouped(workload: Workload, outcomes: Mapping[str, Outcome]) -> str:
    """A group of bars a centre, one bar a policy; the whole width is all of its processors all of the time."""
    room, drawn, top = WIDTH - LEFT - RIGHT, list[str](), 0
    for centre, capacity in enumerate(workload.capacities):
        for at, (name, one) in enumerate(outcomes.items()):
            label = f"{centre} ({capacity}) {name}" if at == 0 else name
            value = one.by_centre[centre]
            drawn.append(_bar(top, label, f"{value:.1%}", room * value, COLOURS[at % len(COLOURS)]))
            top += BAR + GAP
        top += 2 * GAP
    return _svg(top, drawn)


def _bar(top: int, name: str, said: str, length: float, colour: str) -> str:
    middle = top + BAR * 0.7
    return (
        f'<text x="{LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{top}" width="{max(length, 1):.1f}" height="{BAR}" rx="3" fill="{colour}"/>'
        f'<text x="{LEFT + max(length, 1) + 6:.1f}" y="{middle:.0f}">{escape(said)}</text>'
    )


def _svg(height: int, drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-size="13" font-family="system-ui,sans-serif">{"".join(drawn)}</svg>'
    )

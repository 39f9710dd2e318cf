"""Plots as SVG, coloured by the page's style: `c0` … `c7` are classes of policies."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, log10

WIDTH, LEFT, RIGHT = 760, 130, 110
ROOM = WIDTH - LEFT - RIGHT
BAR, GAP, TOP = 20, 9, 22
COLOURS = 8
ROW, DOT = 48, 6


def bars(values: Mapping[str, float], form: str, *, is_log: bool = False) -> str:
    """One bar a name. `is_log`: of values that are 1 and more, with a line at each power of ten."""
    highest = max(values.values(), default=0.0)
    if is_log:
        decades = max(ceil(log10(max(highest, 1.0))), 1)
        ticks = {f"{10**at}": at / decades for at in range(decades + 1)}
        parts = {name: log10(max(value, 1.0)) / decades for name, value in values.items()}
    else:
        end = _round_up(highest)
        ticks = {f"{end * at / 4:g}": at / 4 for at in range(5)}
        parts = {name: value / end for name, value in values.items()}
    height = TOP + len(values) * (BAR + GAP)
    drawn = [_tick(label, part, height) for label, part in ticks.items()]
    for at, (name, part) in enumerate(parts.items()):
        top, length, said = TOP + at * (BAR + GAP), max(ROOM * part, 2.0), escape(form.format(values[name]))
        middle = top + BAR * 0.72
        drawn.append(
            f'<text x="{LEFT - 10}" y="{middle:.1f}" class="name">{escape(name)}</text>'
            f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3" class="c{at % COLOURS}"/>'
            f'<text x="{LEFT + length + 7:.1f}" y="{middle:.1f}" class="value">{said}</text>'
        )
    return _svg(height, drawn)


def dots(rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    """One row a name: a dot for each policy, at its part of the whole; the first one's is a ring, and a line leads from
    it to the farthest. Dots stand a little above each other, since many are equal."""
    height = TOP + len(rows) * ROW
    drawn = [_tick(f"{at * 25} %", at / 4, height) for at in range(5)]
    for at, (name, parts) in enumerate(rows):
        middle = TOP + at * ROW + ROW / 2
        farthest = max(parts, key=lambda part: abs(part - parts[0]))
        first, most = LEFT + ROOM * parts[0], LEFT + ROOM * farthest
        drawn.append(
            f'<text x="{LEFT - 10}" y="{middle + 5:.1f}" class="name">{escape(name)}</text>'
            f'<line x1="{LEFT}" x2="{LEFT + ROOM}" y1="{middle}" y2="{middle}" class="track"/>'
            f'<line x1="{first:.1f}" x2="{most:.1f}" y1="{middle}" y2="{middle}" class="rise"/>'
        )
        for policy, part in reversed(list(enumerate(parts))):
            kind = "ring" if policy == 0 else f"c{policy % COLOURS}"
            apart = 0.0 if policy == 0 else (policy - len(parts) / 2) * min(DOT, ROW / len(parts))
            drawn.append(f'<circle cx="{LEFT + ROOM * part:.1f}" cy="{middle + apart}" r="{DOT}" class="{kind}"/>')
        told = f"{parts[0]:.0%} → {farthest:.0%}" if abs(farthest - parts[0]) >= 0.005 else f"{parts[0]:.0%}"
        drawn.append(f'<text x="{LEFT + ROOM + 10}" y="{middle + 5:.1f}" class="value">{told}</text>')
    return _svg(height, drawn)


def _round_up(value: float) -> float:
    """To a round number that divides well into four."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (ceil(log10(value)) - 1)
    return next(step * power for step in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0) if step * power >= value)


def _tick(label: str, part: float, height: int) -> str:
    x = LEFT + ROOM * part
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{height}" class="grid"/>'
        f'<text x="{x:.1f}" y="{TOP - 9}" class="tick">{escape(label)}</text>'
    )


def _svg(height: int, drawn: Sequence[str]) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">{"".join(drawn)}</svg>'

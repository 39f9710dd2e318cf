"""Words of the screen."""

from __future__ import annotations

from typing import Callable

Say = Callable[[str, str], str]
"""Of an English and a Chinese text, the one to show."""

KEYS = (
    ("q", "leave", "退出"),
    ("c m i w r", "sort by CPU, memory, I/O, wait, rank", "按 CPU、内存、读写、等待、序号排序"),
    ("t", "tree or flat", "树状或平铺"),
    ("↑ ↓ PgUp PgDn", "scroll", "滚动"),
    ("space", "pause, play", "暂停、播放"),
    ("← →  [ ]  { }", "back and on: a second, a minute, ten", "后退、前进：一秒、一分钟、十分钟"),
    ("0 … 9", "to that tenth", "跳到第几成"),
    ("+ -", "faster, slower", "加快、放慢"),
    ("g G", "to the start, to the newest", "到开头、到最新"),
    ("h", "this help", "帮助"),
)
SHORT = (
    "q leave  c m i w r sort  t tree  ↑↓ scroll  space pause  ←→ [ ] step  g G ends  h help",
    "q 退出  c m i w r 排序  t 树状  ↑↓ 滚动  空格 暂停  ←→ [ ] 步进  g G 首尾  h 帮助",
)
SMALL = ("too small: 60×8 at least", "窗口太小：至少 60×8")


def help_lines(say: Say) -> list[str]:
    return [f"  {keys:<16}{say(en, zh)}" for keys, en, zh in KEYS]

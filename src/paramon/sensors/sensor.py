"""What a sensor is, and what is said where one cannot be had."""

from __future__ import annotations

from typing import Protocol


class Unavailable(Exception):
    """What cannot be had on this machine, and why. In English and in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class Noted:
    """`with Noted(name, unavailable):` where one is made that may not be had: why not is noted there by its name. Of a
    machine unlike those we know the other sensors go on."""

    def __init__(self, name: str, unavailable: dict[str, tuple[str, str]]) -> None:
        self._name, self._unavailable = name, unavailable

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, wrong: BaseException | None, __: object) -> bool:
        if isinstance(wrong, Unavailable):
            self._unavailable[self._name] = wrong.en, wrong.zh
        elif isinstance(wrong, Exception):
            told = f"{type(wrong).__name__}: {wrong}"
            self._unavailable[self._name] = f"not understood: {told}", f"无法识别：{told}"
        return isinstance(wrong, Exception)


class Sensor(Protocol):
    """Something of the node. `name` begins those of its series. Made by a function that raises Unavailable where it
    cannot be had."""

    name: str

    def read(self) -> dict[str, int]:
        """Whole numbers by series, such as `memory.free_kib`; OSError where it cannot be read now, Unavailable
        where it turned out that it cannot be had, until it can."""

    def close(self) -> None: ...

"""How often the interpreter looks for cycles: seldom, in a process that says so."""

import gc

from paracloud.kit.cycles import look_seldom


def test_a_batch_of_records_is_made_without_a_look_and_cycles_are_still_found() -> None:
    before, looks = gc.get_threshold(), []

    def looked(phase: str, _: dict[str, int]) -> None:
        looks.append(phase)

    gc.callbacks.append(looked)
    try:
        look_seldom()
        records = [[number] for number in range(50_000)]
        assert looks == []
        for _ in range(200_000):
            lonely: list[object] = []
            lonely.append(lonely)
        assert "stop" in looks
        assert len(records) == 50_000
    finally:
        gc.callbacks.remove(looked)
        gc.set_threshold(*before)
        gc.unfreeze()

"""The seeds that ever failed."""

from pathlib import Path

FILE = Path(__file__).with_name("kept_seeds.txt")


def kept_seeds() -> list[int]:
    lines = FILE.read_text().splitlines()
    return [int(word) for line in lines if not line.startswith("#") for word in line.split()]


def keep(seed: int) -> None:
    if seed not in kept_seeds():
        with FILE.open("a") as file:
            file.write(f"{seed}\n")

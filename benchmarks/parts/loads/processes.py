"""Processes of which some are at work and the others asleep. Arguments: how many, and how many of them are at work.

One that works computes for about two milliseconds each second, touches memory of another size and writes and reads a
file. It says `ready` when all are there, and ends when its standard input does; so do they.
"""

import os
import random
import select
import sys
import tempfile
import time

PERIOD_SECONDS = 1.0


def main() -> None:
    count, working = int(sys.argv[1]), int(sys.argv[2])
    gone, _kept = os.pipe()
    for number in range(count - 1):  # this one is one of them
        if not os.fork():
            os.close(_kept)
            _work(number, gone) if number < working else os.read(gone, 1)
            os._exit(0)
    print("ready", flush=True)
    sys.stdin.buffer.read(1)


def _work(number: int, gone: int) -> None:
    chance = random.Random(number)
    with tempfile.TemporaryFile() as file:
        wait = chance.random() * PERIOD_SECONDS
        while not select.select([gone], [], [], wait)[0]:
            until = time.process_time() + chance.uniform(0.001, 0.003)
            while time.process_time() < until:
                pass
            memory = bytearray(chance.randrange(1, 64) * 4096)
            memory[::4096] = b"\1" * (len(memory) // 4096)
            os.pwrite(file.fileno(), memory[: chance.randrange(len(memory))], 0)
            os.pread(file.fileno(), chance.randrange(65536), 0)
            wait = PERIOD_SECONDS


if __name__ == "__main__":
    main()

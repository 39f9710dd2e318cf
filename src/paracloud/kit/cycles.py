"""How often the interpreter looks for objects that only hold each other."""

import gc

NEW_OBJECTS = 100_000
"""Some 20 MiB between two looks, where there are cycles at all: nearly everything is freed without one."""


def look_seldom() -> None:
    """For a process that holds thousands of records at a time. By default it looks through all of them after each 700
    new objects: a quarter of the time that an import took, for nothing."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 100)

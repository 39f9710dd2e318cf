"""Imports every room's tables, so that Base.metadata is whole: modules named `tables`, or `tables_…` in a room that has
many."""

import importlib
import pkgutil

from sqlalchemy import MetaData

import paracloud
from paracloud.kit.database import Base


def all_tables() -> MetaData:
    for module in pkgutil.walk_packages(paracloud.__path__, "paracloud."):
        room, _, last = module.name.rpartition(".")
        if room.count(".") == 1 and room != __package__ and last.partition("_")[0] == "tables":
            importlib.import_module(module.name)
    return Base.metadata

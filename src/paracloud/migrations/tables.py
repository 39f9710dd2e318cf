"""Imports every room's tables, so that Base.metadata is whole. A room without tables is simply not there."""

import importlib
from importlib.util import find_spec

from sqlalchemy import MetaData

from paracloud.kit.database import Base

ROOMS = ("identity", "centres", "metering", "billing", "data", "jobs", "api")


def all_tables() -> MetaData:
    for room in ROOMS:
        name = f"paracloud.{room}.tables"
        if find_spec(name) is not None:
            importlib.import_module(name)
    return Base.metadata

"""A trained model of waits, as production asks it: read from JSON, without the library that trained it. Pure."""

import json
from dataclasses import dataclass
from typing import Final

from paracloud.kit.errors import Invalid
from paracloud.placement.prediction import Quantiles
from paracloud.placement.trees import Forest, read_forest, write_forest
from paracloud.placement.waits import Features, quantiles

FORMAT: Final = "waits-1"
"""Of what is written: another program's is not read."""
LEAST_JOBS: Final = 500
"""Fewer teach nothing that the plain rule does not say."""
LONGEST: Final = 8.0
"""Log10 of three years in seconds: no model says more."""


@dataclass(frozen=True, slots=True)
class TreeWaits:
    """Implements `Waits`. The forests say log10 of seconds."""

    name: str
    middle: Forest
    upper: Forest

    def predict(self, features: Features) -> Quantiles:
        p50, p90 = self.middle.value(features), self.upper.value(features)
        return quantiles(10 ** min(p50, LONGEST), 10 ** min(p90, LONGEST))


def write_model(middle: Forest, upper: Forest) -> str:
    written = {"features": Features._fields, "middle": write_forest(middle), "upper": write_forest(upper)}
    return json.dumps(written, separators=(",", ":"))


def read_model(name: str, text: str) -> TreeWaits:
    """Invalid for what is no model, or one of other features than are known now."""
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        written = None
    if not isinstance(written, dict) or written.get("features") != list(Features._fields):
        raise Invalid(
            "This model of waits was trained on other features; train one again.",
            "该排队时间模型所用特征与当前版本不同，请重新训练。",
        )
    count = len(Features._fields)
    return TreeWaits(name, read_forest(written.get("middle"), count), read_forest(written.get("upper"), count))

"""Grow a model of waits from jobs that have waited. Pure; the one module that needs LightGBM, so nothing that must
start quickly imports it.

All of it is in the logarithm (base 10) of the seconds. The middle is grown by squares, an upper bound by the quantile
(pinball) loss. What trees say of jobs that they have seen is too narrow, and days differ from each other more than jobs
do: so each block of days is predicted by trees that saw nothing of it, and the bound is moved by the quantile of what
these missed it by (cross-conformal prediction, V. Vovk, Ann. Math. Artif. Intell. 74, 2015; quantile
regression so calibrated: Y. Romano et al., NeurIPS 2019).
"""

from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
from numpy.typing import NDArray

from paracloud.placement.trees import Forest, Tree

Numbers = NDArray[np.float64]
Days = NDArray[np.int64]

BLOCKS: Final = 4
MIDDLE, UPPER = "regression", "quantile"
PARAMETERS: Final[dict[str, Any]] = {
    "learning_rate": 0.06,
    "num_leaves": 15,
    "max_bin": 127,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
LEAF_PART, LEAF_LEAST, LEAF_MOST = 400, 20, 300
"""A leaf holds one in LEAF_PART of the jobs, but no fewer than LEAF_LEAST need be and no more than LEAF_MOST."""


@dataclass(frozen=True, slots=True)
class Growth:
    """`part`: of the jobs, to be within an UPPER bound. `threads` changes nothing but the time that it takes."""

    part: float
    trees: int
    threads: int


def grow(kind: str, growth: Growth, features: Numbers, waits: Numbers) -> lightgbm.Booster:
    """`features`: (job, feature); `waits`: of each job, log10 of seconds."""
    leaf = min(max(len(waits) // LEAF_PART, LEAF_LEAST), LEAF_MOST)
    chosen = {"objective": kind, "min_data_in_leaf": leaf, "num_threads": growth.threads}
    if kind == UPPER:
        chosen["alpha"] = growth.part
    return lightgbm.train(PARAMETERS | chosen, lightgbm.Dataset(features, waits), num_boost_round=growth.trees)


def missed_unseen(kind: str, growth: Growth, features: Numbers, waits: Numbers, days: Days) -> Numbers:
    """For each job, by how much its wait was longer than trees said that saw nothing of its block of days. `days`: of
    each job, any number that grows with time; ValueError where there are fewer than BLOCKS different ones."""
    blocks, missed = _blocks(days), np.empty(len(waits))
    for block in range(BLOCKS):
        out, seen = blocks == block, blocks != block
        missed[out] = waits[out] - said(grow(kind, growth, features[seen], waits[seen]), features[out])
    return missed


def said(booster: lightgbm.Booster, features: Numbers) -> Numbers:
    return np.asarray(booster.predict(features), dtype=np.float64)


def conformal(missed: Numbers, part: float) -> float:
    """By how much a bound is to be moved so that `part` of the jobs are within it, and as many of new ones like them:
    the ceil(part x (n + 1))-th smallest of what it missed them by."""
    rank = min(int(np.ceil(part * (len(missed) + 1))), len(missed)) - 1
    return float(np.partition(missed, rank)[rank])


def forest_of(booster: lightgbm.Booster) -> Forest:
    return Forest(tuple(_tree(one["tree_structure"]) for one in booster.dump_model()["tree_info"]))


def _tree(node: dict[str, Any]) -> Tree:
    if "leaf_value" in node:
        return float(node["leaf_value"])
    if node["decision_type"] != "<=":
        raise ValueError(f"a split by {node['decision_type']}")
    return node["split_feature"], float(node["threshold"]), _tree(node["left_child"]), _tree(node["right_child"])


def _blocks(days: Days) -> Days:
    """Of each job, which of BLOCKS runs of days it is in: with about as many days in each."""
    known, place = np.unique(days, return_inverse=True)
    if len(known) < BLOCKS:
        raise ValueError(f"{len(known)} days are too few for {BLOCKS} blocks")
    return np.asarray(place * BLOCKS // len(known), dtype=np.int64)

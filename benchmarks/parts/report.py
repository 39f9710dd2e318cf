"""What the turns of all contestants amount to: medians over the rounds, ratios of jobs a second."""

from collections.abc import Mapping, Sequence

from benchmarks.parts.figures import median, percentile
from benchmarks.parts.ours import OurTurn
from benchmarks.parts.peers import Turn


def report(
    jobs: int, own: Mapping[str, Sequence[OurTurn]], longer: Sequence[float], turns: Mapping[str, Sequence[Turn]]
) -> dict[str, object]:
    """`ratio_X` is our jobs a second over those of X; with one job in a POST, `single_ratio_X`."""
    rates = {name: median([jobs / one.seconds for one in of]) for name, of in turns.items()}
    ratios = {
        ("ratio_" if us == "ours" else f"{us}_ratio_") + name: round(rates[us] / rate, 3)
        for us in own
        for name, rate in rates.items()
        if name not in own
    }
    detected = {"detect_p50_s": round(percentile(longer, 0.5), 2)} if longer else {}
    accept = _accept(own["single"]) if "single" in own else {}
    details = {f"{us}_detail": _own(of) for us, of in own.items()}
    return {**ratios, **accept, **detected, **_own(next(iter(own.values()))), **_all(jobs, rates, turns), **details}


def _accept(turns: Sequence[OurTurn]) -> dict[str, object]:
    samples = [sample for one in turns for sample in one.accept_ms]
    return {
        "accept_p50_ms": round(percentile(samples, 0.5), 2),
        "accept_p99_ms": round(percentile(samples, 0.99), 2),
    }


def _all(jobs: int, rates: Mapping[str, float], turns: Mapping[str, Sequence[Turn]]) -> dict[str, object]:
    return {
        "jobs_per_second": {name: round(rate, 2) for name, rate in rates.items()},
        "submitted_per_second": {
            name: round(median([jobs / one.submit_seconds for one in of]), 2) for name, of in turns.items()
        },
        "requests_per_job": {
            name: round(median([one.requests.total / jobs for one in of]), 3) for name, of in turns.items()
        },
        "requests_counted_by": "slurmctld (sdiag, by user) and slurmdbd (sacctmgr show stats)",
    }


def _own(turns: Sequence[OurTurn]) -> dict[str, object]:
    posts = [sample for one in turns for sample in one.accept_ms]
    detects = [sample for one in turns for sample in one.detect_s]
    looks = [(one.turn.requests.total - one.turn.requests.submissions) / one.turn.seconds * 60 for one in turns]
    return {
        "jobs_a_post": turns[0].batch,
        "post_p50_ms": round(percentile(posts, 0.5), 2),
        "detect_trivial_p50_s": round(percentile(detects, 0.5), 2),
        "detect_trivial_p99_s": round(percentile(detects, 0.99), 2),
        "commands_per_minute": round(median([one.turn.requests.total / one.turn.seconds * 60 for one in turns])),
        "commands_per_minute_without_sbatch": round(median(looks)),
        "rss_mib": {word: max(one.rss_mib[word] for one in turns) for word in ("api", "worker")},
        "cpu_s": {word: round(median([one.cpu_s[word] for one in turns]), 2) for word in turns[0].cpu_s},
    }

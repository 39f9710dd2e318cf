"""`./run bench profile`: how far behind a job its profile is seen, and what that costs, however long the job has run.

A job at a real centre starts a process each few seconds whose name says when; it is seen when the API first tells of
it. Then a profile of a minute and one of a whole day (written as fast as it goes, a hundred processes at a time, one
coming and one going each second) lie in that job's folder, and one more second is written before each look. At last the
day is shown, looked back at and exported, beside an hour of the same: in the same run, for the ratio.

--marks N     processes that say when they started (30)
--looks N     at each of the long profiles (30)
--seconds N   that the day has (86400)
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from demo.stage import Stage, Tenant

from benchmarks.parts.centre import NAME, QUEUE, inventory
from benchmarks.parts.day import Day
from benchmarks.parts.figures import median, percentile, say
from paracloud.client.errors import ApiError
from paracloud.wire.jobs import JobRequest
from paracloud.wire.profiles import ProfileFilesModel, ProfileModel

PROCESSES = 100
MARK, APART_SECONDS, POLL_SECONDS = "mark-", 1.3, 0.2
"""Marks do not keep step with the collector's looks."""
MARKS = f"""#!/bin/bash
for at in $(seq {{}}); do
  (exec -a {MARK}$(date +%s%N) sleep 3) &
  sleep {APART_SECONDS}
done
wait
"""
MEASURED = """import os, resource, sys
code = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(code)"""
"""A program's largest resident set is its parent's at least, which is why this one's is small."""


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    report: dict[str, Any] = {"bench": "profile", "load_average_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="paracloud-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        for length, seconds in (("minute", 60), ("hour", min(3600, asked.seconds)), ("day", asked.seconds)):
            report[f"{length}_write"] = _write(folder / length, seconds)
        for length in ("hour", "day"):
            report[length] = _tools(folder / length)
        say("building a centre and a server")
        with Stage("bench", inventory()) as stage:
            tenant = stage.tenant("bench")
            job, behind = _behind(stage, tenant, asked.marks)
            report["seconds_behind"] = behind
            for length, seconds in (("minute", 60), ("day", asked.seconds)):
                report[f"look_after_a_{length}"] = _looks(stage, tenant, job, folder / length, seconds, asked.looks)
    print(json.dumps(report), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench profile", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--marks", type=int, default=30)
    parser.add_argument("--looks", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=86_400)
    return parser.parse_args(arguments)


def _write(folder: Path, seconds: int) -> dict[str, float]:
    """It is not closed: it could go on."""
    began, day = time.process_time(), Day(folder, PROCESSES)
    for _ in range(seconds):
        day.second()
    day.spool.end_chunk()
    size = Path(day.spool.path).stat().st_size
    found = {
        "seconds": seconds,
        "cpu_s": round(time.process_time() - began, 1),
        "mib": round(size / (1 << 20), 2),
        "bytes_per_process_sample": round(size / seconds / PROCESSES, 2),
    }
    say(f"{folder.name}: {found}")
    return found


def _tools(folder: Path) -> dict[str, dict[str, float]]:
    """Of paramon as a program of its own: CPU seconds, and its largest resident set."""
    found, where, rows = {}, str(folder), folder.parent / "rows.csv"
    for words in (
        ("show", where),
        ("top", "--once", "--plain", "--at", "50", where),
        ("export", "--csv", where, "-o", str(rows), "--force"),
    ):
        argv = [sys.executable, "-S", "-c", MEASURED, sys.executable, "-m", "paramon", *words]
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
        seconds, kib = done.stderr.splitlines()[-1].split()
        cost = {"cpu_s": round(float(seconds), 2), "rss_mib": round(int(kib) / 1024, 1)}
        say(f"{words[0]} of the {folder.name}: {cost}")
        found[words[0]] = cost
    rows.unlink()
    return found


def _behind(stage: Stage, tenant: Tenant, marks: int) -> tuple[UUID, dict[str, float]]:
    """The job, and from the start of each of its processes to the answer of the API that first told of it."""
    wanted = JobRequest(
        project=tenant.project, script=MARKS.format(marks), options={"partition": QUEUE, "time": "30"}, centre=NAME
    )
    job, cursor = tenant.client.submit(wanted).id, ""
    seen: dict[str, float] = {}
    while not tenant.client.job(job).job.is_final:
        try:
            news = tenant.client.profile(job, since=cursor)
        except ApiError:
            time.sleep(POLL_SECONDS)
            continue  # it has not begun
        now, cursor = time.time(), news.cursor
        for process in (one for node in news.nodes for one in node.processes):
            name = process.command.split()[0] if process.command else ""
            if name.startswith(MARK) and name not in seen:
                seen[name] = now - int(name.removeprefix(MARK)) / 1e9
        time.sleep(POLL_SECONDS)
    if len(seen) < marks:
        say(f"only {len(seen)} of {marks} marks were seen: the job took the others with it")
    late = list(seen.values())
    found = {"p50": round(median(late), 2), "p95": round(percentile(late, 0.95), 2), "max": round(max(late), 2)}
    say(f"seconds behind: {found}")
    return job, {**found, "marks": len(seen)}


def _looks(stage: Stage, tenant: Tenant, job: UUID, profile: Path, seconds: int, looks: int) -> dict[str, Any]:
    """What a look costs that finds one second more, after so many: of both forms of the API's answer."""
    (folder,) = (stage.lab.centres[NAME].site.folder / "home").glob("*/.paracloud/jobs/*/profile")
    for old in folder.iterdir():
        old.unlink()
    account = folder.stat().st_uid
    day = Day(folder, PROCESSES, begins=seconds)
    shutil.copyfile(next(profile.glob("*.paramon")), day.spool.path)
    found = {}
    for name, ask in (("profile", tenant.client.profile), ("profile_files", tenant.client.profile_files)):
        found[name] = _follow(partial(ask, job), day, account, looks)
        say(f"{name} of a {profile.name}: {found[name]}")
    return found


def _follow(
    ask: Callable[..., ProfileModel | ProfileFilesModel], day: Day, account: int, looks: int
) -> dict[str, float]:
    answer = ask()
    while any(one.is_behind for one in (answer.files if isinstance(answer, ProfileFilesModel) else answer.nodes)):
        answer = ask(since=answer.cursor)
    took, sizes = [], []
    for _ in range(looks):
        day.second()
        for file in Path(day.spool.path).parent.iterdir():
            os.chown(file, account, account)
        began = time.perf_counter()
        answer = ask(since=answer.cursor)
        took.append((time.perf_counter() - began) * 1000)
        sizes.append(len(answer.model_dump_json()))
    return {"ms_p50": round(median(took), 1), "ms_max": round(max(took), 1), "bytes_p50": median(sizes)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

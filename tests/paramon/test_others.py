"""Who starts collectors on other nodes: when, as what, and what is told where there is none."""

import contextlib
import os
import select
import signal

import pytest

from paramon.others import FIRST_SECONDS, Others


class Site:
    """A scheduler that starts what it is told to, here."""

    here = ""
    why_waiting = "not yet", "尚未"

    def __init__(self, *how: tuple[str, list[str]], waiting=()) -> None:
        self._how, self.waiting = list(how), waiting

    def starts(self, commands):
        how, self._how = self._how, []
        return how


class Trial:
    def __init__(self, *how: tuple[str, list[str]], waiting=()) -> None:
        self.now = 0.0
        self.others = Others(Site(*how, waiting=waiting), ["own"], lambda: self.now)

    def begin(self) -> list[int]:
        self.now = FIRST_SECONDS
        return list(self.others.look(list))

    def hear_out(self) -> None:
        while self.others.files:
            self.others.hear(select.select(list(self.others.files), [], [], 60)[0])


def test_a_short_job_starts_nothing_and_a_longer_one_each_once():
    trial = Trial(("n2", ["true"]))
    trial.now = FIRST_SECONDS - 0.1
    assert not trial.others.look(list)
    assert len(trial.begin()) == 1
    trial.now = 1000
    assert not trial.others.look(list)


def test_it_is_a_session_of_its_own_without_what_the_scheduler_told_the_script(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "64")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    trial = Trial(
        ("n2", ["sh", "-c", f'env >{tmp_path}/env; cut -d" " -f6 /proc/$$/stat >{tmp_path}/session; echo $0'])
    )
    (pid,) = trial.begin()
    trial.hear_out()
    known = dict(line.partition("=")[::2] for line in (tmp_path / "env").read_text().splitlines())
    assert {name for name in known if name.startswith("SLURM_")} == {"SLURM_CONF"}
    assert int((tmp_path / "session").read_text()) == pid != os.getsid(0)
    assert trial.others.news()[0] == "n2: own"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (["sh", "-c", "echo first; echo cluster configuration lacks support for cpu binding; exit 1"], "n2: first"),
        (["true"], "n2: paramon has ended there"),
        (["/nowhere/srun"], "n2: /nowhere/srun: No such file or directory"),
    ],
)
def test_one_that_ends_while_the_job_runs_is_told_of_once_with_what_it_said(how, said):
    trial = Trial(("n2", how), ("n3", ["sleep", "0"]))
    trial.begin()
    assert trial.others.news() is None
    trial.hear_out()
    english, chinese = trial.others.news()
    assert said in english
    assert said in chinese
    assert trial.others.news() is None


def test_nodes_that_wait_are_told_of_until_they_do_not():
    trial = Trial(waiting=["n2", "n3"])
    assert trial.others.news() is None
    trial.begin()
    assert trial.others.news() == ("n2, n3: not yet", "n2, n3: 尚未")
    trial.others._scheduler.waiting = []
    assert trial.others.news() == ()


def test_one_that_says_nothing_any_more_and_goes_on_keeps_nobody_waiting():
    trial = Trial(("n2", ["sh", "-c", "echo gone; exec >&- 2>&- sleep 1000"]), ("n3", ["true"]))
    silent, ended = trial.begin()
    trial.hear_out()
    assert set(trial.others.news()[0].split("; ")) == {"n2: gone", "n3: paramon has ended there"}
    os.kill(silent, signal.SIGKILL)
    for pid in (silent, ended):
        with contextlib.suppress(ChildProcessError):  # it was waited for already
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    trial.others.hear([])
    for pid in (silent, ended):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

import os
import subprocess

import pytest
from tests.paracloud.dialects.pbs.golden import OPENPBS, TORQUE, asked, dialect, recorded

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Conflict, Forbidden, Invalid, NotFound, Unreachable, Unsupported

each_flavour = pytest.mark.parametrize("flavour", [OPENPBS, TORQUE])


@each_flavour
def test_the_golden_answers_are_to_the_commands_that_are_sent(flavour):
    assert asked(flavour, "qdel-gone")["command"] == list(dialect(flavour).cancel(["7"]).argv)
    assert asked(flavour, "qrls-unknown")["command"] == list(dialect(flavour).release("99999").argv)


@each_flavour
def test_cancelling_what_is_gone_is_success(flavour):
    assert dialect(flavour).cancel(["7"]).parse(recorded(flavour, "qdel-gone")) is None


@each_flavour
def test_a_foreign_job_is_forbidden_also_beside_one_that_is_gone(flavour):
    with pytest.raises(Forbidden):
        dialect(flavour).cancel(["7"]).parse(recorded(flavour, "qdel-foreign"))


@each_flavour
def test_a_silent_server_is_unreachable(flavour):
    with pytest.raises(Unreachable):
        dialect(flavour).cancel(["7"]).parse(recorded(flavour, "qdel-silent"))


@each_flavour
def test_holding_a_running_job_is_a_conflict_and_an_unknown_one_is_not_found(flavour):
    with pytest.raises(Conflict):
        dialect(flavour).hold("7").parse(recorded(flavour, "qhold-running"))
    with pytest.raises(NotFound):
        dialect(flavour).release("7").parse(recorded(flavour, "qrls-unknown"))


@each_flavour
@pytest.mark.parametrize("id_", ["", "x", "7;true", "7[3]", "-7", "7 8", "$(true)"])
def test_what_is_no_id_reaches_no_command(flavour, id_):
    pbs = dialect(flavour)
    for act in (lambda: pbs.cancel([id_]), lambda: pbs.hold(id_), lambda: pbs.signal([id_], "USR1")):
        with pytest.raises(Invalid):
            act()


def test_pbs_reaches_no_batch_script_alone():
    with pytest.raises(Unsupported):
        dialect(OPENPBS).signal(["7"], "B:USR1")
    with pytest.raises(Invalid):
        dialect(OPENPBS).signal(["7"], "-9 1")


def run(tmp_path, command, **programs):
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        command.argv, input=command.stdin, env=environment, capture_output=True, timeout=30, check=False
    )
    return command.parse(Completed(done.returncode, done.stdout, done.stderr))


def test_every_job_is_cancelled_also_behind_one_that_is_gone(tmp_path):
    qdel = f'echo "$@" >>{tmp_path}/said; echo "qdel: Unknown Job Id $1" >&2; exit 153'
    ids = [str(number) for number in range(450)] + ["9[]"]
    assert run(tmp_path, dialect(OPENPBS).cancel(ids), qdel=qdel) is None
    assert (tmp_path / "said").read_text().split() == ids


def test_each_job_has_an_answer_of_its_own_to_a_signal(tmp_path):
    qsig = """case $3 in
      7) exit 0 ;; 8) echo "qsig: Unknown Job Id 8.pbs1"; exit 153 ;;
      *) echo "qsig: Request invalid for state of job $3"; exit 168 ;; esac"""
    assert run(tmp_path, dialect(OPENPBS).signal(["7", "8", "9"], "USR1"), qsig=qsig) == {"7", "8"}


def test_a_signal_that_nobody_got_is_an_error(tmp_path):
    with pytest.raises(Forbidden):
        run(tmp_path, dialect(OPENPBS).signal(["7"], "USR1"), qsig='echo "qsig: Unauthorized Request  7"; exit 159')
    with pytest.raises(Unreachable):
        run(tmp_path, dialect(OPENPBS).signal(["7"], "USR1"), qsig="echo 'qsig: cannot connect to server'; exit 1")


def test_a_refusal_that_is_not_understood_is_broken():
    with pytest.raises(Broken):
        dialect(OPENPBS).cancel(["7"]).parse(Completed(1, b"", b"qdel: a sentence of next year's release\n"))

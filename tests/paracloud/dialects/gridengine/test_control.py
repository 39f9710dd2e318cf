import pytest
from tests.paracloud.dialects.gridengine.golden import NONCE, dialect, recorded

from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Forbidden, Invalid, NotFound, Unreachable


def test_what_is_gone_is_cancelled():
    for name in ("qdel", "qdel-gone"):
        assert dialect().cancel(["9000000"]).parse(recorded(name)) is None


def test_another_accounts_job_is_forbidden():
    with pytest.raises(Forbidden):
        dialect().cancel(["5250002"]).parse(recorded("qdel-foreign"))
    with pytest.raises(Forbidden):
        dialect().hold("5250002").parse(recorded("qhold-foreign"))


def test_a_job_that_is_gone_cannot_be_held():
    for command in (dialect().hold("9000000"), dialect().release("9000000")):
        with pytest.raises(NotFound):
            command.parse(recorded("qhold-gone"))


def test_silence_is_no_success():
    asked = {"qdel-silent": dialect().cancel(["1"]), "qhold-silent": dialect().hold("1")}
    asked |= {"signal-silent": dialect().signal(["1"], "USR1")}
    for name, command in asked.items():
        with pytest.raises(Unreachable):
            command.parse(recorded(name))


def test_a_complaint_that_is_not_understood_is_broken():
    with pytest.raises(Broken):
        dialect().cancel(["1"]).parse(Completed(1, b'denied: job "1" does not exist\ndenied: something else\n', b""))


def test_only_jobs_that_were_asked_about_have_a_signal():
    answer = Completed(0, f"7\n{NONCE} 7\n{NONCE} 9\n".encode(), b"")
    assert dialect().signal(["7", "8"], "USR1").parse(answer) == {"7"}
    assert dialect().signal(["9000000"], "USR1").parse(recorded("signal-gone")) == {"9000000"}


@pytest.mark.parametrize("name", ["", "USR1;id", "$(id)", "B:B:USR1"])
def test_what_is_no_signal_is_refused(name):
    with pytest.raises(Invalid):
        dialect().signal(["7"], name)


@pytest.mark.parametrize("job", ["", "7.1", "-7", "7;id", "٧"])
def test_what_is_no_number_is_refused(job):
    for act in (lambda: dialect().cancel([job]), lambda: dialect().hold(job), lambda: dialect().signal([job], "USR1")):
        with pytest.raises(Invalid):
            act()

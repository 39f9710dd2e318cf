"""Old logs of PBS: its accounting records."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.paracloud.dialects.log_lines import PBS, one

from paracloud.dialects.history import LeftOut
from paracloud.dialects.pbs import history as pbs
from paracloud.dialects.records import NativePhase


def test_a_line_of_pbs_is_a_record():
    found = one(pbs, PBS)
    assert (found.native_id, found.task_index, found.cores, found.nodes, found.gpus) == ("88", 4, 8, 2, 2)
    assert (found.name, found.node_list, found.memory_bytes) == ("my melt", "n1,n2", 16 << 30)
    assert (found.eligible_at, found.wall_limit) == (datetime(2026, 6, 1, 7, 46, 40, tzinfo=UTC), timedelta(hours=36))
    torque = PBS.replace("exec_host=n1/0*4+n2/0*4", "exec_host=n1/0+n1/1+n2/0-3").replace("Resource_List.ncpus=8 ", "")
    assert (one(pbs, torque).cores, one(pbs, torque).nodes) == (6, 2)
    assert one(pbs, PBS.replace("Exit_status=0", "Exit_status=271")).phase is NativePhase.CANCELLED


def test_what_pbs_tells_besides():
    assert one(pbs, PBS.replace(";E;", ";Q;")) == LeftOut(1, "queued")
    assert "lacks end" in one(pbs, PBS.replace(" end=1780304200", "")).en
    assert "time;type;id" in one(pbs, PBS[:20] + "\n").en
    assert one(pbs, PBS.replace("88[4]", "88[]")) == LeftOut(1, "array as a whole")
    assert one(pbs, PBS.replace("start=1780300600", "start=0")) == LeftOut(1, "never started")


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ("end=1780304200", "end=99999999999999999", "no time"),
        ("Exit_status=0", "Exit_status=x", "exit status"),
        ("mem=16gb", "mem=999999999999999999tb", "size"),
        ("walltime=36:00:00", "walltime=soon", "time span"),
        ("88[4].head", "head", "job id"),
    ],
)
def test_what_pbs_says_wrongly_is_told(was, becomes, reason):
    found = one(pbs, PBS.replace(was, becomes))
    assert (found.line, reason in found.en) == (1, True)


def test_cores_of_pbs_are_the_most_that_it_says():
    torque = PBS.replace("ncpus=8", "ncpus=1").replace("n1/0*4+n2/0*4", "n1/0-3,8-9+n2/0")
    assert (one(pbs, torque).cores, one(pbs, torque).requested_cores) == (7, 1)
    large = PBS.replace("ncpus=8", "ncpus=64").replace("n1/0*4+n2/0*4", "n1/0")
    assert one(pbs, large).cores == 64
    silent = PBS.replace("Resource_List.ncpus=8 ", "").replace("exec_host=n1/0*4+n2/0*4 ", "")
    assert "cores" in one(pbs, silent).en
    cards = PBS.replace("Resource_List.ngpus=2", "exec_gpus=n1-gpu/0+n1-gpu/1+n2-gpu/0")
    assert one(pbs, cards).gpus == 3


@pytest.mark.parametrize(
    ("said", "gpus"),
    [
        ("Resource_List.select=2:ncpus=4:ngpus=2+1:ncpus=1:ngpus=1", 5),
        ("Resource_List.select=ncpus=4:ngpus=2:mem=4gb", 2),
        ("exec_vnode=(n1:ncpus=4:ngpus=1)+(n2:ncpus=2:ngpus=1+n3:ncpus=2:ngpus=2) Resource_List.select=2:ngpus=2", 4),
        ("Resource_List.nodes=2:ppn=4:gpus=3+n9:ppn=1:gpus=1", 7),
        ("Resource_List.select=2:ncpus=4 Resource_List.nodes=2:ppn=4", 0),
        ("Resource_List.ngpus=1 Resource_List.select=2:ngpus=2", 1),
    ],
)
def test_cards_of_pbs_that_stand_only_in_chunks_are_counted(said, gpus):
    assert one(pbs, PBS.replace("Resource_List.ngpus=2", said)).gpus == gpus


def test_cards_of_pbs_that_are_no_number_are_told():
    assert "whole number" in one(pbs, PBS.replace("Resource_List.ngpus=2", "exec_vnode=(n1:ngpus=two)")).en

"""The two flavours: OpenPBS (19.1 and later, also PBS Professional) and Torque (4 and later)."""

from collections.abc import Mapping

from paracloud.dialects.pbs import machine_openpbs, machine_torque
from paracloud.dialects.pbs import resources as words
from paracloud.dialects.pbs.answers import OPENPBS as OPENPBS_ANSWERS
from paracloud.dialects.pbs.answers import TORQUE as TORQUE_ANSWERS
from paracloud.dialects.pbs.attributes import from_json, from_xml
from paracloud.dialects.pbs.flavour import Cluster, Flavour
from paracloud.dialects.pbs.guard_program import program


def _jobs_in_json(text: str) -> Mapping[str, Mapping[str, str]]:
    return from_json(text, "Jobs") if text else {}


def _jobs_in_xml(text: str) -> Mapping[str, Mapping[str, str]]:
    return from_xml(text, "Job", "Job_Id")


def _itself(kind: str) -> str:
    return kind


OPENPBS = Flavour(
    answers=OPENPBS_ANSWERS,
    listing=("qstat", "-f", "-F", "json", "-t"),
    finished=("qstat", "-x", "-f", "-F", "json", "-t"),
    ended=("qselect", "-x", "-tm.ge.SINCE"),
    look_up=("qselect", "-x"),
    read_jobs=_jobs_in_json,
    resources=words.of_openpbs,
    array=words.array_of_openpbs,
    array_kind=_itself,
    cluster=Cluster(
        queues=machine_openpbs.QUEUES,
        server=machine_openpbs.SERVER,
        nodes=machine_openpbs.NODES,
        read=machine_openpbs.read,
        read_version=machine_openpbs.version,
    ),
    program=program("OpenPBS", "-x"),
)
TORQUE = Flavour(
    answers=TORQUE_ANSWERS,
    listing=("qstat", "-x", "-t"),
    finished=("qstat", "-x", "-t"),
    ended=("qselect", "-s", "C"),
    look_up=("qselect",),
    read_jobs=_jobs_in_xml,
    resources=words.of_torque,
    array=words.array_of_torque,
    array_kind=words.array_kind_of_torque,
    cluster=Cluster(
        queues=machine_torque.QUEUES,
        server=machine_torque.SERVER,
        nodes=machine_torque.NODES,
        read=machine_torque.read,
        read_version=machine_torque.version,
    ),
    program=program("Torque", ""),
)

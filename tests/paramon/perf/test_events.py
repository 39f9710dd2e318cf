"""Which processor it is, what its events are, and how the kernel wants to be asked for them."""

from pathlib import Path

import pytest

from paramon.perf.call import RAW, Event
from paramon.perf.counters import job_counters, node_counters
from paramon.perf.device import devices, numbers
from paramon.perf.events import FP_ARITH, TABLE
from paramon.perf.processor import ICE_LAKE, SAPPHIRE_RAPIDS, SKYLAKE, ZEN2, ZEN3, ZEN4, generation, processor
from paramon.sensors.sensor import Unavailable

CORE = {"event": "config:0-7", "umask": "config:8-15", "inv": "config:23", "cmask": "config:24-31"}
# As family 17h and, from Zen 4 on, the second version of AMD's counters show themselves.
ZEN_DF = {"event": "config:0-7,32-35,59-60", "umask": "config:8-15"}
ZEN4_DF = {"event": "config:0-7,32-37", "umask": "config:8-15,24-27"}
ZEN4_UMC = {"event": "config:0-7", "rdwrmask": "config:8-9"}


def device(root: Path, name: str, kind: int, fields: dict[str, str], cpus: str = "") -> None:
    (root / name / "format").mkdir(parents=True)
    (root / name / "type").write_text(f"{kind}\n")
    for field, bits in fields.items():
        (root / name / "format" / field).write_text(f"{bits}\n")
    if cpus:
        (root / name / "cpumask").write_text(f"{cpus}\n")


def cpuinfo(vendor: str, family: int, model: int, name: str = "Some Processor") -> str:
    one = f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: {name}\n\n"
    return one + one.replace("model\t\t", "model\t\t: 1\nx")


@pytest.mark.parametrize(
    ("vendor", "family", "model", "expected"),
    [
        ("GenuineIntel", 6, 85, SKYLAKE),
        ("GenuineIntel", 6, 106, ICE_LAKE),
        ("GenuineIntel", 6, 143, SAPPHIRE_RAPIDS),
        ("AuthenticAMD", 23, 49, ZEN2),  # EPYC 7002
        ("AuthenticAMD", 25, 1, ZEN3),  # EPYC 7003
        ("AuthenticAMD", 25, 17, ZEN4),  # EPYC 9004
        ("AuthenticAMD", 25, 160, ZEN4),  # EPYC 97x4
    ],
)
def test_servers_are_known_by_family_and_model(vendor, family, model, expected):
    assert generation(processor(cpuinfo(vendor, family, model))) == expected
    assert expected in TABLE


@pytest.mark.parametrize(
    ("vendor", "family", "model"), [("GenuineIntel", 6, 167), ("AuthenticAMD", 23, 1), ("X", 6, 85)]
)
def test_a_processor_whose_events_are_not_known_is_named(vendor, family, model):
    with pytest.raises(Unavailable) as why:
        generation(processor(cpuinfo(vendor, family, model, "Odd One @ 2.00GHz")))
    assert f"Odd One @ 2.00GHz ({vendor} {family}/{model})" in why.value.en
    assert "Odd One" in why.value.zh


def test_another_architecture_is_said_to_be_one():
    with pytest.raises(Unavailable):
        processor("processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n")


@pytest.mark.parametrize("name", TABLE)
def test_no_group_asks_for_more_than_its_processors_have(name):
    # Four registers on Intel with two threads a core, beside the fixed ones; six on AMD, where FLOP take two.
    fixed = {"cycles", "instructions"} if name in {SKYLAKE, ICE_LAKE, SAPPHIRE_RAPIDS} else set()
    for group in TABLE[name].core:
        assert len(set(group) - fixed) + ("flop" in group) <= (4 if fixed else 6)


def test_intels_flop_by_width_are_the_published_codes(tmp_path):
    device(tmp_path, "cpu", RAW, CORE)
    (cpu,) = devices("cpu", str(tmp_path))
    known = {name: cpu.event(terms).config for name, terms in FP_ARITH.items()}
    assert known == {
        "scalar_double": 0x1C7, "scalar_single": 0x2C7, "packed128_double": 0x4C7, "packed128_single": 0x8C7,
        "packed256_double": 0x10C7, "packed256_single": 0x20C7, "packed512_double": 0x40C7, "packed512_single": 0x80C7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("generation_name", "choice", "fields", "expected"),
    [
        (SKYLAKE, 0, CORE, [0x304, 0xC04]),
        (ICE_LAKE, 0, CORE, [0xF04, 0x3004]),
        (SAPPHIRE_RAPIDS, 0, CORE, [0xCF05, 0xF005]),
        (ZEN4, 0, ZEN4_UMC, [0x10A, 0x20A]),
        (ZEN3, 0, ZEN_DF, [0x3807, 0x3847, 0x3887, 0x38C7, 0x1_0000_3807, 0x1_0000_3847, 0x1_0000_3887, 0x1_0000_38C7]),
        (ZEN4, 1, ZEN4_DF, [0x700FE1F, 0x700FF1F, 0x700FE5F, 0x700FF5F]),
    ],
)
def test_memory_controllers_are_asked_in_their_own_format(tmp_path, generation_name, choice, fields, expected):
    one = TABLE[generation_name].shared[0][choice]
    device(tmp_path, f"{one.device}_0", 17, fields, "0,28")
    device(tmp_path, f"{one.device}_free_running_0", 18, fields)
    (found,) = devices(one.device, str(tmp_path))
    assert found.cpus == (0, 28)
    assert [found.event(terms) for _, terms in one.events][: len(expected)] == [Event(17, each) for each in expected]


def test_what_a_device_has_no_room_for_is_not_cut_off(tmp_path):
    device(tmp_path, "amd_df", 9, ZEN_DF, "0")
    (found,) = devices("amd_df", str(tmp_path))
    with pytest.raises(Unavailable, match="umask"):
        found.event({"event": 0x1F, "umask": 0x7FE})
    with pytest.raises(Unavailable, match="rdwrmask"):
        found.event({"event": 0x0A, "rdwrmask": 1})


def test_sets_of_cpus_are_read_as_the_kernel_writes_them():
    assert numbers("0-2,8\n") == (0, 1, 2, 8)
    assert numbers("\n") == ()


def test_a_machine_without_counters_and_one_without_their_names_say_so(tmp_path):
    (tmp_path / "cpuinfo").write_text(cpuinfo("GenuineIntel", 6, 167, "Odd One"))
    (tmp_path / "devices").mkdir()
    for make in (job_counters, node_counters):
        with pytest.raises(Unavailable, match="virtual machine"):
            make(str(tmp_path / "devices"), str(tmp_path / "cpuinfo"))
    device(tmp_path / "devices", "cpu", RAW, CORE)
    for make in (job_counters, node_counters):
        with pytest.raises(Unavailable, match="Odd One"):
            make(str(tmp_path / "devices"), str(tmp_path / "cpuinfo"))
    (tmp_path / "cpuinfo").write_text(cpuinfo("GenuineIntel", 6, 143))
    with pytest.raises(Unavailable, match="memory controllers"):
        node_counters(str(tmp_path / "devices"), str(tmp_path / "cpuinfo"))


def test_a_processor_with_cores_of_two_kinds_is_said_to_be_one(tmp_path):
    (tmp_path / "cpuinfo").write_text(cpuinfo("GenuineIntel", 6, 151))
    for name in ("cpu_core", "cpu_atom"):
        device(tmp_path / "devices", name, 4, CORE)
    for make in (job_counters, node_counters):
        with pytest.raises(Unavailable, match="cpu_core, cpu_atom"):
            make(str(tmp_path / "devices"), str(tmp_path / "cpuinfo"))

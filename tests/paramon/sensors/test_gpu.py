"""NVIDIA's cards, by a stand-in for their library's binding."""

import sys
from pathlib import Path

import pytest
from tests.paramon.sensors import trees

from paramon.sensors.gpu import Gpu, gpus
from paramon.sensors.sensor import Unavailable

ALL = {
    "sm_permille": 970,
    "memory_permille": 410,
    "memory_used_kib": 1 << 20,
    "memory_total_kib": 80 << 20,
    "power_mw": 312_345,
    "energy_mj": 2**40,
    "temperature_celsius": 54,
    "sm_mhz": 1980,
    "throttle_reasons": 4,
    "ecc_corrected": 2,
    "ecc_uncorrected": 1,
    "throttled_by_power_us": 10**10,
    "throttled_by_heat_us": 10**10,
}


@pytest.fixture
def nvml(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "nvml"))
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    import pynvml

    yield pynvml
    sys.modules.pop("pynvml")


@pytest.fixture
def dev(tmp_path):
    trees.put(tmp_path, "dev/nvidiactl", "")
    return str(tmp_path / "dev")


def of(number, told):
    start = f"gpu.{number}."
    return {series[len(start) :]: value for series, value in told.items() if series.startswith(start)}


def test_each_card_tells_all_of_it(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0), nvml.card(3, processes=[(71, 5 << 30), (72, None)])]
    sensor = Gpu(nvml)
    told = sensor.read()
    assert of(0, told) == {**ALL, "minor": 0}
    assert of(1, told) == {**ALL, "minor": 3, "process.71.memory_kib": 5 << 20, "process.72.memory_kib": 0}
    sensor.close()
    assert nvml.STATE["initialised"] == 0


def test_a_process_that_left_a_card_has_no_memory_there(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0, processes=[(71, 1 << 20), (72, 1 << 20)])]
    sensor = Gpu(nvml)
    sensor.read()
    nvml.CARDS[0].processes, nvml.CARDS[0].used = [(72, 1 << 20)], 0
    told = sensor.read()
    assert (told["gpu.0.process.71.memory_kib"], told["gpu.0.process.72.memory_kib"]) == (0, 1024)
    nvml.CARDS[0].used = 1 << 20
    assert "gpu.0.process.71.memory_kib" not in sensor.read()


def test_a_card_that_falls_off_the_bus_is_told_and_the_others_go_on(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0), nvml.card(1), nvml.card(2)]
    sensor = Gpu(nvml)
    sensor.read()
    nvml.CARDS[1].errors["*"] = nvml.IS_LOST
    told = sensor.read()
    assert of(1, told) == {"lost": 1}
    assert of(0, told) == {**ALL, "minor": 0}
    assert of(2, told) == {**ALL, "minor": 2}
    nvml.ASKED.clear()
    assert of(1, sensor.read()) == {"lost": 1}
    assert {minor for _, minor in nvml.ASKED} == {0, 2}  # asking it again could take seconds


def test_a_card_that_is_lost_in_the_middle_of_a_read_keeps_what_it_had_said(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0, errors={"nvmlDeviceGetTemperature": nvml.IS_LOST})]
    told = of(0, Gpu(nvml).read())
    assert told["lost"] == 1
    assert "sm_mhz" not in told


def test_a_card_that_was_lost_from_the_start_is_told(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0, errors={"nvmlDeviceGetHandleByIndex": nvml.IS_LOST}), nvml.card(1)]
    told = Gpu(nvml).read()
    assert of(0, told) == {"lost": 1}
    assert of(1, told) == {**ALL, "minor": 1}


def test_a_card_that_this_job_may_not_use_is_none_of_it_and_not_lost(nvml, dev):
    forbidden = {"nvmlDeviceGetHandleByIndex": nvml.NO_PERMISSION}
    nvml.CARDS[:] = [nvml.card(0, errors=forbidden), nvml.card(1)]
    told = Gpu(nvml).read()
    assert of(0, told) == {}
    assert of(1, told) == {**ALL, "minor": 1}
    nvml.CARDS[:] = [nvml.card(0, errors=forbidden)]
    with pytest.raises(Unavailable, match="none is for this process"):
        Gpu(nvml)


def test_what_a_card_cannot_say_is_asked_once(nvml, dev):
    nvml.CARDS[:] = [
        nvml.card(0, errors={"nvmlDeviceGetTotalEccErrors": nvml.NOT_SUPPORTED, "heat": nvml.NOT_SUPPORTED})
    ]
    sensor = Gpu(nvml)
    for _ in range(3):
        told = of(0, sensor.read())
    missing = {"ecc_corrected", "ecc_uncorrected", "throttled_by_heat_us"}
    assert set(told) == (set(ALL) | {"minor"}) - missing
    assert [name for name, _ in nvml.ASKED].count("nvmlDeviceGetTotalEccErrors") == 1


def test_what_is_dear_is_asked_less_often_and_at_the_last_look_once_more(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0)]
    sensor = Gpu(nvml)
    looks = [sensor.read() for _ in range(60)]
    assert all(set(told) == set(looks[0]) for told in looks)
    times = {name: [each for each, _ in nvml.ASKED].count(name) for name, _ in nvml.ASKED}
    assert times["nvmlDeviceGetPowerUsage"] == times["nvmlDeviceGetUtilizationRates"] == 60
    assert times["nvmlDeviceGetTemperature"] == 12
    assert times["nvmlDeviceGetComputeRunningProcesses"] == 6
    assert times["nvmlDeviceGetTotalEnergyConsumption"] == 1
    nvml.ASKED.clear()
    sensor.hurry()
    sensor.read()
    assert ("nvmlDeviceGetTotalEnergyConsumption", 0) in nvml.ASKED


def test_who_comes_to_a_card_is_told_at_once(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0)]
    sensor = Gpu(nvml)
    sensor.read()
    nvml.CARDS[0].processes, nvml.CARDS[0].used = [(71, 1 << 20)], (1 << 30) + (1 << 20)
    assert of(0, sensor.read())["process.71.memory_kib"] == 1024


@pytest.mark.parametrize("is_old", ["driver", "binding"])
def test_where_one_is_too_old_to_tell_the_drivers_own_memory_apart_it_is_in_it(nvml, dev, monkeypatch, is_old):
    nvml.CARDS[:] = [nvml.card(0)]
    if is_old == "driver":
        nvml.CARDS[0].errors["nvmlDeviceGetMemoryInfo_v2"] = nvml.FUNCTION_NOT_FOUND
    else:
        monkeypatch.delattr(nvml, "nvmlMemory_v2")
    told = of(0, Gpu(nvml).read())
    assert told["memory_used_kib"] == ((1 << 30) + nvml.RESERVED) // 1024


def test_what_fails_now_is_counted_and_asked_again(nvml, dev):
    nvml.CARDS[:] = [nvml.card(0, errors={"nvmlDeviceGetPowerUsage": nvml.UNKNOWN})]
    sensor = Gpu(nvml)
    sensor.read()
    told = of(0, sensor.read())
    assert told["failed_reads"] == 2
    assert "power_mw" not in told
    nvml.CARDS[0].errors.clear()
    assert of(0, sensor.read())["power_mw"] == 312_345


def test_a_binding_that_lacks_a_question_answers_the_others(nvml, dev):
    del nvml.nvmlDeviceGetFieldValues
    nvml.CARDS[:] = [nvml.card(0)]
    told = of(0, Gpu(nvml).read())
    assert {"pcie_sent_bytes", "throttled_by_heat_us"}.isdisjoint(told)
    assert told["power_mw"] == 312_345


def test_instances_of_mig_have_series_of_their_own(nvml, dev):
    busy = {"nvmlDeviceGetUtilizationRates": nvml.NOT_SUPPORTED}
    instances = {number: nvml.card(0, processes=[(80 + number, 1 << 30)], errors=busy) for number in (0, 2)}
    nvml.CARDS[:] = [nvml.card(0, instances=instances, errors=busy)]
    told = Gpu(nvml).read()
    assert told["gpu.0.power_mw"] == 312_345
    assert told["gpu.0.mig.0.process.80.memory_kib"] == told["gpu.0.mig.2.process.82.memory_kib"] == 1 << 20
    assert told["gpu.0.mig.2.memory_used_kib"] == 1 << 20
    assert not any(series.endswith("sm_permille") or ".mig.1." in series for series in told)


def test_without_a_driver_the_library_is_not_even_loaded(nvml, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as Python keeps one that cannot be imported
    with pytest.raises(Unavailable, match="no NVIDIA driver"):
        gpus(str(tmp_path))


def test_a_binding_that_is_not_installed_is_named(dev, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as Python keeps one that cannot be imported
    with pytest.raises(Unavailable, match="nvidia-ml-py") as caught:
        gpus(dev)
    assert "nvidia-ml-py" in caught.value.zh


def test_a_driver_that_does_not_answer_is_told_with_its_reason(nvml, dev):
    nvml.STATE["init_error"] = nvml.DRIVER_NOT_LOADED
    with pytest.raises(Unavailable, match="Driver Not Loaded"):
        Gpu(nvml)


def test_a_job_without_cards_leaves_nothing_open(nvml, dev):
    with pytest.raises(Unavailable, match="none is for this process"):
        Gpu(nvml)
    assert nvml.STATE["initialised"] == 0

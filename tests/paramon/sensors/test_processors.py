"""Cores, pressure, frequency, energy, power."""

import pytest
from tests.paramon.sensors import trees

from paramon.sensors.cores import Cores
from paramon.sensors.cpu import Cpu
from paramon.sensors.energy import Energy
from paramon.sensors.frequency import Frequency
from paramon.sensors.power import Power
from paramon.sensors.pressure import Pressure
from paramon.sensors.sensor import Unavailable


def test_cores_are_told_by_the_busiest_the_idlest_and_how_many_are_full(tmp_path):
    trees.stat(tmp_path, (1000, 0), (0, 1000), (500, 500), (7, 7))
    sensor = Cores(str(tmp_path))
    assert sensor.read() == {}  # nothing has passed yet
    trees.stat(tmp_path, (1095, 5), (10, 1090), (600, 500), (7, 7))  # the last is switched off
    assert sensor.read() == {
        "cores.busiest_permille": 1000,
        "cores.idlest_permille": 100,
        "cores.full": 2,
    }
    sensor.close()


def test_waiting_for_a_disk_is_idle(tmp_path):
    trees.put(tmp_path, "stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 0")
    sensor = Cores(str(tmp_path))
    sensor.read()
    trees.put(tmp_path, "stat", "cpu  1 2 3 4 50 6 7 8 0 0\ncpu0 1 2 3 4 50 6 7 8 0 0\nintr 0")
    assert sensor.read()["cores.busiest_permille"] == 27 * 1000 // 81
    sensor.close()


def test_time_that_linux_takes_back_is_told_as_it_was_and_not_as_a_new_beginning(tmp_path):
    trees.put(tmp_path, "loadavg", "0.5 0.5 0.5 1/100 4242")
    sensor, told = None, []
    for idle, iowait in ((900, 90), (899, 89), (905, 95)):
        trees.put(tmp_path, "stat", f"cpu  1 2 3 {idle} {iowait} 6 7 8 0 0\ncpu0 0")
        sensor = sensor or Cpu(str(tmp_path))
        found = sensor.read()
        told.append((found["cpu.idle_ticks"], found["cpu.iowait_ticks"]))
    sensor.close()
    assert told == [(900, 90), (900, 90), (905, 95)]
    assert (found["cpu.user_ticks"], found["cpu.runnable"]) == (1, 1)


def test_pressure_is_told_of_each_resource(tmp_path):
    trees.pressure(tmp_path, 12, 3)
    sensor = Pressure(str(tmp_path))
    assert sensor.read() == {
        f"pressure.{name}_{kind}_us": us for name in ("cpu", "io", "memory") for kind, us in (("some", 12), ("full", 3))
    }
    sensor.close()


def test_a_kernel_without_pressure_is_named_with_what_would_help(tmp_path):
    with pytest.raises(Unavailable, match="psi=1") as caught:
        Pressure(str(tmp_path))
    assert "psi=1" in caught.value.zh


def test_frequencies_are_of_the_cores_that_tell_one(tmp_path):
    trees.cpufreq(tmp_path, 1_000_000, 3_000_000, 2_300_000)
    sensor = Frequency(proc=str(tmp_path), sys=str(tmp_path))
    assert sensor.read() == {"frequency.least_mhz": 1000, "frequency.mean_mhz": 2100, "frequency.most_mhz": 3000}
    trees.put(tmp_path, "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "<unknown>")
    assert sensor.read()["frequency.least_mhz"] == 2300


def test_of_very_many_cores_some_are_asked_from_the_first_to_the_last(tmp_path):
    trees.cpufreq(tmp_path, *(1_000_000 + 1000 * core for core in range(256)))
    told = Frequency(proc=str(tmp_path), sys=str(tmp_path)).read()
    assert (told["frequency.least_mhz"], told["frequency.most_mhz"]) == (1000, 1252)


def test_without_cpufreq_the_processors_own_text_counts(tmp_path):
    trees.put(tmp_path, "cpuinfo", "processor\t: 0\ncpu MHz\t\t: 1999.9\n\nprocessor\t: 1\ncpu MHz\t\t: 2600.000\n")
    told = Frequency(proc=str(tmp_path), sys=str(tmp_path)).read()
    assert told == {"frequency.least_mhz": 1999, "frequency.mean_mhz": 2299, "frequency.most_mhz": 2600}
    trees.put(tmp_path, "cpuinfo", "processor\t: 0\nBogoMIPS\t: 50.00\n")
    with pytest.raises(Unavailable, match="cpufreq"):
        Frequency(proc=str(tmp_path), sys=str(tmp_path))


def test_energy_is_of_packages_and_memory_each_once(tmp_path):
    trees.rapl(tmp_path, "intel-rapl:0", "package-0", 100)
    trees.rapl(tmp_path, "intel-rapl:0:0", "core", 60)
    trees.rapl(tmp_path, "intel-rapl:0:1", "dram", 20)
    trees.rapl(tmp_path, "intel-rapl:1", "package-1", 300)
    trees.rapl(tmp_path, "intel-rapl-mmio:0", "package-0", 99)
    trees.rapl(tmp_path, "intel-rapl-mmio:1", "package-2", 99)
    (tmp_path / "class/powercap/intel-rapl").mkdir()
    sensor = Energy(str(tmp_path))
    assert sensor.read() == {"energy.package_0_uj": 100, "energy.package_0_dram_uj": 20, "energy.package_1_uj": 300}
    sensor.close()


def test_an_energy_meter_that_starts_over_goes_on(tmp_path):
    meter = trees.rapl(tmp_path, "intel-rapl:0", "package-0", 900, range_uj=999)
    sensor = Energy(str(tmp_path))
    told = []
    for value in (950, 20, 30, 999, 0, 999):
        meter.write_text(f"{value}\n")
        told.append(sensor.read()["energy.package_0_uj"])
    assert told == [950, 1020, 1030, 1999, 2000, 2999]
    sensor.close()


def test_no_energy_meter_is_another_thing_than_one_that_must_not_be_read(tmp_path):
    with pytest.raises(Unavailable, match="no RAPL meter"):
        Energy(str(tmp_path))
    trees.rapl(tmp_path, "intel-rapl:0", "package-0", 1).unlink()
    (tmp_path / "class/powercap/intel-rapl:0/energy_uj").symlink_to("/proc/1/no-such-thing")
    with pytest.raises(Unavailable, match="this user may not read") as caught:
        Energy(str(tmp_path))
    assert "无权读取" in caught.value.zh


def test_power_meters_have_their_chips_and_labels_in_their_names(tmp_path):
    trees.hwmon(tmp_path, 0, "coretemp", {"temp1_input": 45000})
    for number in (1, 2):
        meters = {"power1_average": 250_000_000 * number, "power1_label": "CPU Power Socket", "power1_cap": 1}
        trees.hwmon(tmp_path, number, "grace", meters)
    trees.hwmon(tmp_path, 3, "amdgpu", {"power1_input": 12_345_678})
    sensor = Power(str(tmp_path))
    assert sensor.read() == {
        "power.grace_cpu_power_socket_mw": 250_000,
        "power.grace_cpu_power_socket_2_mw": 500_000,
        "power.amdgpu_mw": 12_345,
    }
    (tmp_path / "class/hwmon/hwmon1/power1_average").unlink()
    assert set(sensor.read()) == {"power.grace_cpu_power_socket_2_mw", "power.amdgpu_mw"}
    for number in (2, 3):
        for file in (tmp_path / f"class/hwmon/hwmon{number}").iterdir():
            file.unlink()
    with pytest.raises(OSError, match="no power meter"):
        sensor.read()


def test_a_machine_without_power_meters_says_so(tmp_path):
    trees.hwmon(tmp_path, 0, "coretemp", {"temp1_input": 45000})
    with pytest.raises(Unavailable, match="no power meter"):
        Power(str(tmp_path))

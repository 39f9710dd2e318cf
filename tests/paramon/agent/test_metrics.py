"""What is known, as OpenMetrics: each series once, in units without prefixes, whatever names hold."""

import pytest
from tests.paramon.agent.strict import read, value

from paramon.agent.node_metrics import node_families
from paramon.agent.openmetrics import COUNTER, GAUGE, INFO, family, labels, page
from paramon.agent.own_metrics import Own, own_families

OWN = Own(
    cpu_seconds=1.5, serving_seconds=0.25, looked_at=1790000000.5, ticks=7, missed=2, slowed=1, denied=3, processes=4,
    answers={200: 5, 404: 6}, failed={"gpu": 8}, unavailable={"energy": ('no "RAPL"', "没有")}, given_up=9,
)  # fmt: skip


def told(points: dict[str, int]):
    return read(page(node_families(points)).decode())


def test_a_page_without_anything_has_an_end():
    assert page([]) == b"# EOF\n"
    assert page([family("empty", GAUGE, "Nothing.")]) == b"# EOF\n"


def test_a_page_is_what_the_format_says():
    jobs = family("job_cpu", COUNTER, "Two\nlines \\ of help.", "seconds")
    jobs.add(1.5, labels({"jobid": "7", "user": "", "name": 'a"b\\c\nd'}))
    what = family("build", INFO, "Which.")
    what.add(1, labels({"version": "1"}))
    assert page([jobs, what]).decode() == (
        "# HELP job_cpu_seconds Two\\nlines \\\\ of help.\n# TYPE job_cpu_seconds counter\n"
        "# UNIT job_cpu_seconds seconds\n"
        'job_cpu_seconds_total{jobid="7",name="a\\"b\\\\c\\nd"} 1.5\n'
        '# HELP build Which.\n# TYPE build info\nbuild_info{version="1"} 1\n# EOF\n'
    )


@pytest.mark.parametrize(
    ("series", "number", "family_name", "kind", "given", "expected"),
    [
        ("cpu.user_ticks", 250, "paramon_node_cpu_user_seconds", "counter", {}, 2.5),
        ("cpu.runnable", 3, "paramon_node_cpu_runnable", "gauge", {}, 3),
        ("memory.free_kib", 2, "paramon_node_memory_free_bytes", "gauge", {}, 2048),
        ("disk.nvme0n1.read_bytes", 5, "paramon_node_disk_read_bytes", "counter", {"device": "nvme0n1"}, 5),
        ("disk.sda.busy_ms", 1500, "paramon_node_disk_busy_seconds", "counter", {"device": "sda"}, 1.5),
        ("network.eth0.sent_packets", 4, "paramon_node_network_sent_packets", "counter", {"device": "eth0"}, 4),
        ("pressure.io_full_us", 1000, "paramon_node_pressure_io_full_seconds", "counter", {}, 0.001),
        ("cores.busiest_permille", 994, "paramon_node_cores_busiest_ratio", "gauge", {}, 0.994),
        ("energy.package_0_uj", 2500000, "paramon_node_energy_package_0_joules", "counter", {}, 2.5),
        ("power.acpi_meter_mw", 1500, "paramon_node_power_acpi_meter_watts", "gauge", {}, 1.5),
        ("frequency.mean_mhz", 2400, "paramon_node_frequency_mean_hertz", "gauge", {}, 2.4e9),
        ("infiniband.mlx5_0.1.sent_wait_ticks", 9, "paramon_node_infiniband_sent_wait_ticks", "counter",
         {"port": "mlx5_0.1"}, 9),
        ("nfs./data/v1.2.read_rtt_ms", 20, "paramon_node_nfs_read_rtt_seconds", "counter", {"mount": "/data/v1.2"},
         0.02),
        ("gpu.0.mig.1.memory_used_kib", 1, "paramon_node_gpu_memory_used_bytes", "gauge", {"gpu": "0.mig.1"}, 1024),
        ("gpu.0.mig.1.process.77.memory_kib", 1, "paramon_node_gpu_process_memory_bytes", "gauge",
         {"gpu": "0.mig.1", "pid": "77"}, 1024),
        ('exits.a"b\n.count', 3, "paramon_node_exits_count", "counter", {"program": 'a"b\n'}, 3),
        ("node_counter.dram_read_lines", 3, "paramon_node_node_counter_dram_read_lines", "counter", {}, 3),
    ],
)  # fmt: skip
def test_a_series_name_says_metric_unit_and_label(series, number, family_name, kind, given, expected):
    found = told({series: number})
    assert list(found) == [family_name]
    assert found[family_name].kind == kind
    assert found[family_name].samples == {tuple(sorted(given.items())): expected}


def test_series_of_several_devices_are_one_metric_and_the_collectors_own_are_left_out():
    found = told({"disk.a.reads": 1, "memory.free_kib": 1, "disk.b.reads": 2, "paramon.cpu_us": 3})
    assert list(found) == ["paramon_node_disk_reads", "paramon_node_memory_free_bytes"]
    assert len(found["paramon_node_disk_reads"].samples) == 2


def test_what_the_agent_costs_and_misses_and_what_cannot_be_had_is_told_with_the_reason():
    found = read(page(own_families(OWN)).decode())
    start = "paramon_agent_"
    assert value(found, start + "cpu_seconds") == 1.5
    assert value(found, start + "serving_cpu_seconds") == 0.25
    assert value(found, start + "last_look_timestamp_seconds") == 1790000000.5
    counts = {"looks": 7, "missed_looks": 2, "slowed_looks": 1, "denied_processes": 3, "processes": 4}
    assert {name: value(found, start + name) for name in counts} == counts
    assert value(found, start + "given_up_frames") == 9
    assert value(found, start + "answers", status="404") == 6
    assert value(found, start + "failed_reads", sensor="gpu") == 8
    assert value(found, "paramon_unavailable", what="energy", reason='no "RAPL"') == 1
    assert found[start + "resident_memory_bytes"].kind == "gauge"


@pytest.mark.parametrize(
    "wrong",
    [
        "", "a 1\n# EOF\n", "# TYPE a gauge\na 1\n", "# TYPE a counter\na 1\n# EOF\n",
        "# TYPE a gauge\n# UNIT a bytes\na 1\n# EOF\n", '# TYPE a gauge\na{b="c"} 1\na{b="c"} 2\n# EOF\n',
        '# TYPE a gauge\na{b="c\\x"} 1\n# EOF\n', "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# HELP a x\n# EOF\n",
        "# TYPE a gauge\na None\n# EOF\n", '# TYPE a gauge\na{b="c",} 1\n# EOF\n',
    ],
)  # fmt: skip
def test_the_reader_of_these_tests_refuses_what_is_no_such_text(wrong):
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says
        read(wrong)

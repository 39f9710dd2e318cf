"""Network devices and InfiniBand ports."""

from contextlib import closing

import pytest
from tests.paramon.sensors import trees

from paramon.sensors.infiniband import InfiniBand
from paramon.sensors.network import Network
from paramon.sensors.sensor import Unavailable


def devices(told):
    return {series.split(".")[1] for series in told}


def read(root):
    with closing(Network(str(root), str(root))) as sensor:
        return sensor.read()


def test_each_byte_on_the_wire_is_told_once(tmp_path):
    both = {"lo": 1, "eth0": 100, "eth1": 200, "bond0": 300, "br-1f2": 400, "veth9ab": 500, "eth0.7": 600}
    trees.net(tmp_path, tmp_path, both, hardware=("eth0", "eth1"))
    told = read(tmp_path)
    assert devices(told) == {"eth0", "eth1"}
    assert {series: value for series, value in told.items() if ".eth0." in series} == {
        "network.eth0.received_bytes": 100,
        "network.eth0.received_packets": 101,
        "network.eth0.received_errors": 102,
        "network.eth0.received_drops": 103,
        "network.eth0.sent_bytes": 108,
        "network.eth0.sent_packets": 109,
        "network.eth0.sent_errors": 110,
        "network.eth0.sent_drops": 111,
    }


def test_in_a_container_its_only_device_counts(tmp_path):
    trees.net(tmp_path, tmp_path, {"lo": 1, "eth0": 100, "docker0": 200, "veth1": 300})
    assert devices(read(tmp_path)) == {"eth0"}


def test_a_device_that_comes_later_is_told_of_too(tmp_path):
    trees.net(tmp_path, tmp_path, {"lo": 1, "eth0": 100}, hardware=("eth0",))
    sensor = Network(str(tmp_path), str(tmp_path))
    trees.net(tmp_path, tmp_path, {"lo": 1, "eth0": 100, "ib0": 200}, hardware=("eth0", "ib0"))
    assert devices(sensor.read()) == {"eth0", "ib0"}
    sensor.close()


def test_devices_that_are_gone_are_forgotten(tmp_path):
    trees.net(tmp_path, tmp_path, {"eth0": 100}, hardware=("eth0",))
    sensor = Network(str(tmp_path), str(tmp_path))
    for number in range(100):
        trees.net(tmp_path, tmp_path, {"eth0": 100, f"veth{number}": 1})
        assert devices(sensor.read()) == {"eth0"}
    assert len(sensor._counted) == 2
    sensor.close()


def test_very_many_devices_are_all_read(tmp_path):
    many = {f"eth{number}": 10**12 + number for number in range(700)}
    trees.net(tmp_path, tmp_path, many, hardware=tuple(many))
    assert len(devices(read(tmp_path))) == 700


def test_a_node_without_a_network_says_so(tmp_path):
    trees.net(tmp_path, tmp_path, {"lo": 1})
    with pytest.raises(Unavailable, match="no network device"):
        Network(str(tmp_path), str(tmp_path))


COUNTERS = {
    "counters/port_xmit_data": 1000,
    "counters/port_rcv_data": 2**62,
    "counters/port_xmit_packets": 7,
    "counters/link_downed": 1,
    "counters/VL15_dropped": 5,
    "hw_counters/np_cnp_sent": 9,
    "hw_counters/lifespan": 10,
}


def test_infiniband_counts_words_and_is_told_in_bytes(tmp_path):
    trees.infiniband(tmp_path, "mlx5_0", 1, COUNTERS)
    trees.infiniband(tmp_path, "mlx5_0", 2, COUNTERS, state="1: DOWN")
    trees.infiniband(tmp_path, "hfi1_0", 1, {"counters/port_xmit_data": 5})
    assert InfiniBand(str(tmp_path)).read() == {
        "infiniband.mlx5_0.1.sent_bytes": 4000,
        "infiniband.mlx5_0.1.received_bytes": 2**64,
        "infiniband.mlx5_0.1.sent_packets": 7,
        "infiniband.mlx5_0.1.link_downed": 1,
        "infiniband.mlx5_0.1.congestion_notices_sent": 9,
        "infiniband.hfi1_0.1.sent_bytes": 20,
    }


def test_a_card_that_is_being_reset_does_not_silence_the_others(tmp_path):
    for card in ("mlx5_0", "mlx5_1"):
        trees.infiniband(tmp_path, card, 1, COUNTERS)
    sensor = InfiniBand(str(tmp_path))
    (tmp_path / "class/infiniband/mlx5_0").rename(tmp_path / "away")
    assert devices(sensor.read()) == {"mlx5_1"}
    (tmp_path / "class/infiniband/mlx5_1").rename(tmp_path / "away too")
    with pytest.raises(OSError, match="no port answers"):
        sensor.read()


def test_ports_without_a_link_are_no_infiniband(tmp_path):
    trees.infiniband(tmp_path, "mlx5_0", 1, COUNTERS, state="2: INIT")
    with pytest.raises(Unavailable, match="no port with a link"):
        InfiniBand(str(tmp_path))

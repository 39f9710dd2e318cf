"""What the node's series are called on a page. Their own names are for programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Callable

from paramon.units import VALUES

Words = Mapping[str, "tuple[str, str]"]
Say = Callable[[str, str], str]

GROUPS: Words = {
    "cores": ("cores", "各核"), "disk": ("disks", "磁盘"), "network": ("network", "网络"),
    "infiniband": ("InfiniBand", "InfiniBand"), "lustre": ("Lustre", "Lustre"), "nfs": ("NFS", "NFS"),
    "gpu": ("GPU", "GPU"), "frequency": ("clock", "主频"), "pressure": ("held up", "受阻"), "power": ("power", "功率"),
    "energy": ("energy", "能耗"), "cgroup": ("the job", "本作业"), "exits": ("short-lived", "短时进程"),
    "node_counter": ("counters", "计数器"),
}  # fmt: skip
"""By the first word of a series. Longer ones would not fit before the line."""
TRAFFIC: Words = {
    "received_bytes": ("received", "接收"), "sent_bytes": ("sent", "发送"),
    "received_packets": ("packets received", "接收包"), "sent_packets": ("packets sent", "发送包"),
    "received_errors": ("errors at receipt", "接收错误"), "sent_errors": ("errors at sending", "发送错误"),
}  # fmt: skip
STORAGE: Words = {
    "read_bytes": ("read", "读"), "reads": ("reads", "读次数"),
    "written_bytes": ("written", "写"), "writes": ("writes", "写次数"),
}  # fmt: skip
WORDS: Mapping[str, Words] = {
    "cores": {
        "busiest_permille": ("the busiest", "最忙"), "idlest_permille": ("the idlest", "最闲"),
        "full": ("more than 90 % busy", "超过 90 % 的核数"),
    },
    "disk": {
        **STORAGE, "read_ms": ("waiting for reads", "读等待"), "write_ms": ("waiting for writes", "写等待"),
        "busy_ms": ("busy", "忙"),
    },
    "network": {
        **TRAFFIC, "received_drops": ("dropped at receipt", "接收丢包"),
        "sent_drops": ("dropped at sending", "发送丢包"),
    },
    "infiniband": {
        **TRAFFIC, "sent_wait_ticks": ("ticks that data waited to be sent", "发送等待节拍"),
        "sent_discards": ("discarded at sending", "发送丢弃"), "symbol_errors": ("symbol errors", "符号错误"),
        "link_recoveries": ("link recoveries", "链路恢复"), "link_downed": ("times the link was down", "链路断开次数"),
        "congestion_marked_packets": ("packets marked for congestion", "拥塞标记包"),
        "congestion_notices_sent": ("congestion notices sent", "发出拥塞通知"),
        "congestion_notices_handled": ("congestion notices heard", "处理拥塞通知"),
        "out_of_sequence": ("packets out of sequence", "乱序包"), "sequence_errors": ("sequence errors", "序号错误"),
        "timeouts": ("timeouts", "超时"), "receiver_not_ready": ("receiver not ready", "接收方未就绪"),
    },
    "lustre": {
        **STORAGE, "opens": ("opens", "打开"), "closes": ("closes", "关闭"), "creates": ("creations", "创建"),
        "unlinks": ("removals", "删除"), "mkdirs": ("folders made", "建目录"), "rmdirs": ("folders removed", "删目录"),
        "renames": ("renames", "改名"), "readdirs": ("folders listed", "列目录"),
        "getattrs": ("attributes read", "读属性"), "setattrs": ("attributes set", "改属性"),
        "page_faults": ("page faults", "缺页"),
    },
    "nfs": {
        **STORAGE, "repeated_requests": ("requests repeated", "重发请求"), "timeouts": ("timeouts", "超时"),
        **{f"{kind}_{what}": (f"{en} {words[0]}", zh + words[1])
           for kind, en, zh in (("read", "reads'", "读"), ("write", "writes'", "写"), ("other", "others'", "其他"))
           for what, words in (("requests", ("requests", "请求")), ("rtt_ms", ("time at the server", "服务器耗时")),
                               ("execute_ms", ("time in all", "总耗时")))},
    },
    "gpu": {
        "sm_permille": ("SM busy", "SM 占用"), "memory_permille": ("memory busy", "显存读写占用"),
        "memory_used_kib": ("memory used", "显存已用"), "memory_total_kib": ("memory in all", "显存总量"),
        "power_mw": ("power", "功率"), "energy_mj": ("energy", "能耗"), "temperature_celsius": ("temperature", "温度"),
        "sm_mhz": ("clock", "频率"), "throttled_by_power_us": ("slowed by its power limit", "因功耗上限降频"),
        "throttled_by_heat_us": ("slowed by heat", "因过热降频"),
        "ecc_corrected": ("memory errors corrected", "已纠正内存错误"),
        "ecc_uncorrected": ("memory errors not corrected", "未纠正内存错误"),
        "memory_kib": ("memory", "显存"), "minor": ("is /dev/nvidia", "设备号 /dev/nvidia"),
        "lost": ("fell off the bus", "掉卡"), "failed_reads": ("failed reads", "读取失败"),
    },
    "frequency": {
        "least_mhz": ("slowest core", "最慢核"), "mean_mhz": ("mean", "平均"), "most_mhz": ("fastest core", "最快核"),
    },
    "pressure": {
        f"{what}_{kind}_us": (f"{en} waited for {thing[0]}", zh + thing[1])
        for what, thing in (("cpu", ("a CPU", "等 CPU")), ("io", ("I/O", "等读写")), ("memory", ("memory", "等内存")))
        for kind, en, zh in (("some", "some", "部分任务"), ("full", "all", "所有任务"))
    },
    "cgroup": {
        "cpu_us": ("CPU", "CPU"), "cpu_user_us": ("in programs", "用户态"),
        "cpu_system_us": ("in the kernel", "内核态"),
        "throttled_periods": ("periods throttled", "被限流周期"), "throttled_us": ("throttled for", "被限流时长"),
        "memory_kib": ("memory", "内存"), "memory_peak_kib": ("memory at most", "内存峰值"),
        "memory_limit_kib": ("memory allowed", "内存上限"),
        "oom_kills": ("killed for want of memory", "因内存不足被终止"), **STORAGE,
    },
    "exits": {
        "count": ("runs", "运行次数"), "cpu_us": ("CPU", "CPU"), "peak_rss_kib": ("peak", "峰值"), **STORAGE,
        "lost": ("records of ends lost", "丢失的退出记录"),
    },
}  # fmt: skip
CARD = re.compile(r"([0-9]{1,9})(?:\.mig\.([0-9]{1,9}))?\.(.+)")
"""Of a GPU's series, behind its group: the card, perhaps an instance of MIG, and what is told of it."""
UNIT = re.compile(f"(?:{'|'.join(VALUES)})$")


def line_of(group: str, rest: str) -> tuple[str, str, str]:
    """In whose line a series is told, and what is left of its name there: of cards, each and each instance has its own;
    of all else the group. The group, the card, the rest."""
    card = CARD.fullmatch(rest) if group == "gpu" else None
    if card is None:
        return group, "", rest
    return group, f" {card[1]}/{card[2]}" if card[2] else f" {card[1]}", card[3]


def group_words(group: str, say: Say) -> str:
    return say(*GROUPS.get(group, (group, group)))


def series_words(group: str, rest: str, say: Say) -> str:
    """Of `disk` and `sda.read_bytes`: sda read. A series that is not known is its own name, without its unit."""
    place, _, last = rest.rpartition(".")
    plain = UNIT.sub("", last).replace("_", " ")
    where = place.replace("process.", say("process ", "进程 ")) if group == "gpu" else place
    return f"{where} {say(*WORDS.get(group, {}).get(last, (plain, plain)))}".strip()


def order(group: str, rest: str) -> tuple[str, int, str]:
    """Of a group's series: by place, then as they are listed here."""
    place, _, last = rest.rpartition(".")
    known = list(WORDS.get(group, {}))
    return place, known.index(last) if last in known else len(known), last

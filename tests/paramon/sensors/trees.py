"""Trees like the kernel's, in the forms that its documentation and the manuals of the drivers give. Each maker takes a
root folder; what it is asked for is written below that, and nothing else."""

from pathlib import Path


def put(root: Path, path: str, told: object) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{told}\n" if not str(told).endswith("\n") else str(told))
    return file


def stat(root: Path, *cores: tuple[int, int]) -> None:
    """/proc/stat; of each core: ticks in user mode, and idle."""
    rows = [(sum(core[0] for core in cores), sum(core[1] for core in cores)), *cores]
    names = ["cpu ", *(f"cpu{number}" for number in range(len(cores)))]
    lines = [f"{name} {user} 0 0 {idle} 0 0 0 0 0 0" for name, (user, idle) in zip(names, rows, strict=True)]
    put(root, "stat", "\n".join([*lines, "intr 1 2 3", "ctxt 4", "btime 5"]))


def pressure(root: Path, some: int, full: int) -> None:
    """/proc/pressure, alike for each of the three."""
    for name in ("cpu", "io", "memory"):
        lines = [
            f"{kind} avg10=0.10 avg60=2.00 avg300=0.00 total={us}" for kind, us in (("some", some), ("full", full))
        ]
        put(root, f"pressure/{name}", "\n".join(lines))


def cpufreq(root: Path, *khz: int) -> None:
    """/sys, a frequency for each core."""
    for core, value in enumerate(khz):
        put(root, f"devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq", value)
    put(root, "devices/system/cpu/cpufreq/boost", 1)
    put(root, "devices/system/cpu/cpuidle/current_driver", "acpi_idle")


def rapl(root: Path, zone: str, name: str, uj: int, range_uj: int = 262143328850) -> Path:
    """/sys, one zone of it, such as `intel-rapl:0:1`; the meter's file comes back."""
    folder = f"class/powercap/{zone}"
    put(root, f"{folder}/name", name)
    put(root, f"{folder}/max_energy_range_uj", range_uj)
    return put(root, f"{folder}/energy_uj", uj)


def hwmon(root: Path, number: int, chip: str, meters: dict[str, object]) -> None:
    """/sys, one chip; `meters`: contents by file."""
    put(root, f"class/hwmon/hwmon{number}/name", chip)
    for file, told in meters.items():
        put(root, f"class/hwmon/hwmon{number}/{file}", told)


NET_HEAD = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier …
"""


def net(proc: Path, sys: Path, devices: dict[str, int], hardware: tuple[str, ...] = ()) -> None:
    """/proc/net/dev and /sys/class/net; of each device a number from which its columns count up."""
    lines = [f"{name:>6}: " + " ".join(str(first + at) for at in range(16)) for name, first in devices.items()]
    put(proc, "net/dev", NET_HEAD + "\n".join(lines))
    for name in hardware:
        put(sys, f"class/net/{name}/device/vendor", "0x15b3")


def infiniband(root: Path, card: str, port: int, counters: dict[str, int], state: str = "4: ACTIVE") -> None:
    """/sys; `counters`: by path below the port."""
    folder = f"class/infiniband/{card}/ports/{port}"
    put(root, f"{folder}/state", state)
    for path, value in counters.items():
        put(root, f"{folder}/{path}", value)


def disks(proc: Path, sys: Path, *whole: str, parts: tuple[str, ...] = ()) -> None:
    """/proc/diskstats and /sys/block. All did the same."""
    told = "10 1 16 5 20 2 32 7 0 9 12 3 0 64 1 4 2"
    put(proc, "diskstats", "\n".join(f" 259 {at:>7} {name} {told}" for at, name in enumerate((*whole, *parts))))
    for name in whole:
        put(sys, f"block/{name}/stat", told)


MOUNT = """\
device fs1:/export/{name} mounted on /{name} with fstype nfs4 statvers=1.1
\topts:\trw,vers=4.2,rsize=1048576,wsize=1048576,namlen=255,acregmin=3,hard,proto=tcp,timeo=600,retrans=2,sec=sys
\tage:\t86400
\tcaps:\tcaps=0x3ffbffff,wtmult=512,dtsize=1048576,bsize=0,namlen=255
\tevents:\t12 345 0 6 7 8 9 10 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
\tbytes:\t1111 2222 33 44 5000 6000 2 3
\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)
\txprt:\ttcp 0 0 2 0 3 500 500 0 600 0 2 0 0
\tper-op statistics
\t        NULL: 1 1 0 44 24 0 0 0 0
\t        READ: 10 12 1 2000 5100 3 40 50 0
\t       WRITE: 20 20 0 6200 2000 4 60 70 0
\t     GETATTR: 100 101 2 9000 12000 5 80 90 3

"""


def mountstats(root: Path, *names: str) -> None:
    """/proc/self/mountstats with local file systems and these by NFS."""
    local = "device proc mounted on /proc with fstype proc\ndevice /dev/sda1 mounted on / with fstype ext4\n"
    put(root, "self/mountstats", local + "".join(MOUNT.format(name=name) for name in names) + local)


LLITE = """\
snapshot_time             1700000000.123456789 secs.nsecs
start_time                1600000000.000000000 secs.nsecs
read_bytes                3 samples [bytes] 4096 1048576 1056768 1099528404992
write_bytes               5 samples [bytes] 1 4096 8193 16777217
read                      3 samples [usecs] 5 500 600 250025
open                      7 samples [usecs] 3 30 70 900
close                     6 samples [usecs] 3 30 60 900
getattr                   11 samples [reqs]
mknod                     2 samples [usecs] 1 2 3 5
create                    1 samples [usecs] 1 1 1 1
inode_permission          99 samples [usecs] 0 1 9 9
"""


def llite(root: Path, *mounts: str) -> None:
    """Below `root`, such as /proc/fs/lustre/llite."""
    for mount in mounts:
        put(root, f"{mount}/stats", LLITE)


def cgroup_2(root: Path, path: str, files: dict[str, object]) -> Path:
    """/proc/self of a process in that group of version 2, and the group; its folder comes back."""
    point = root / "cgroup"
    put(root, "self/cgroup", f"0::{path}")
    put(
        root,
        "self/mountinfo",
        f"1 0 0:2 / / rw - ext4 /dev/sda rw\n31 1 0:27 / {point} rw shared:9 - cgroup2 cgroup2 rw\n",
    )
    return _group(point, path, files)


def cgroup_1(root: Path, paths: dict[str, str], files: dict[str, dict[str, object]], top: str = "/") -> None:
    """The same of version 1; by controllers, such as `cpu,cpuacct`: the process's path, and the files of its group."""
    mounts, lines = [], []
    for number, (controllers, path) in enumerate(paths.items(), 2):
        point = root / "cgroup" / controllers
        mounts.append(f"{number} 1 0:{number} {top} {point} rw,relatime - cgroup cgroup rw,{controllers}")
        lines.append(f"{number}:{controllers}:{path}")
        _group(point, path.removeprefix(top) if top != "/" else path, files.get(controllers, {}))
    put(root, "self/cgroup", "\n".join([*lines, "1:name=systemd:/", "0::/"]))
    put(root, "self/mountinfo", "\n".join(mounts))


def _group(point: Path, path: str, files: dict[str, object]) -> Path:
    folder = point / path.strip("/")
    folder.mkdir(parents=True, exist_ok=True)
    for name, told in files.items():
        put(folder, name, told)
    return folder


def process(
    root: Path,
    pid: int,
    parent: int,
    *,
    ticks: int = 0,
    child_ticks: int = 0,
    state: str = "S",
    start: int = 0,
    rss_pages: int = 25,
    threads: int = 1,
) -> None:
    """/proc/PID; `ticks`: of CPU in user mode. `start`: 0 for later the higher its number is."""
    rest = ["0"] * 50
    rest[0], rest[1] = state, str(parent)
    rest[11], rest[13], rest[17], rest[19] = str(ticks), str(child_ticks), str(threads), str(start or 1000 + pid)
    rest[21] = str(rss_pages if state != "Z" else 0)
    put(root, f"{pid}/stat", f"{pid} (prog {pid}) " + " ".join(rest))
    put(root, f"{pid}/status", f"Name:\tprog {pid}\nvoluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n")
    put(root, f"{pid}/schedstat", f"{ticks} 0 {child_ticks + len(state) + ord(state)}\n")
    put(root, f"{pid}/io", "".join(f"{name}: 0\n" for name in ("a", "b", "c", "d", "e", "f", "g")))

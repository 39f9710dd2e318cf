"""A Grid Engine cell as the files that its own tools read (sge_conf(5), sge_queue_conf(5), sge_host_conf(5), sge_pe(5),
sge_complex(5)). Settings and their reasons were measured on Debian's Grid Engine 8.1.9."""

from collections.abc import Mapping
from pathlib import Path

from paralab.inventory import Partition
from paralab.site import Site

CELL = "default"
ADMINISTRATOR = "sgeadmin"
"""The account that Debian's package makes: sge_qmaster's files are its own."""
RESOURCES = Path("/usr/share/gridengine/util/resources")
DEFAULT_CONFIGURATION = Path("/usr/share/gridengine/default-configuration")
LAST_JOB_ID = 9_999_999
FIRST_GROUP, GROUPS_A_NODE = 100_000, 2_000

PARALLEL_ENVIRONMENTS = {"mpi": "$fill_up", "smp": "$pe_slots"}
"""`mpi` spreads a job over as few nodes as hold it; `smp` keeps it on one."""

SCHEDULING = {
    # Every one of these waits up to fifteen seconds by default.
    "schedule_interval": "0:0:1",
    "flush_submit_sec": "1",
    "flush_finish_sec": "1",
    # Grid Engine has no default queue: a job that names none goes to the first by number that has room.
    "queue_sort_method": "seqno",
}


def root(site: Site) -> Path:
    """SGE_ROOT, where every centre's users find theirs."""
    return site.folder / "sge"


def replaced(text: str, values: Mapping[str, str]) -> str:
    """One of Grid Engine's own listings with these values instead. KeyError for an attribute that it does not have."""
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    listed = {line[0]: line[1] if len(line) > 1 else "" for line in lines}
    if unknown := values.keys() - listed.keys():
        raise KeyError(*sorted(unknown))
    return attributes({**listed, **values})


def attributes(values: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in values.items())


def bootstrap(site: Site) -> str:
    return attributes(
        {
            "admin_user": ADMINISTRATOR,
            "default_domain": "none",
            "ignore_fqdn": "false",
            "spooling_method": "berkeleydb",
            "spooling_lib": "libspoolb",
            "spooling_params": f"{site.folder}/spool/database",
            "binary_path": "/usr/sbin",
            "qmaster_spool_dir": f"{site.folder}/spool/qmaster",
            "security_mode": "none",
            "listener_threads": "2",
            "worker_threads": "2",
            "scheduler_threads": "1",
        }
    )


def global_configuration(site: Site) -> str:
    return replaced(
        DEFAULT_CONFIGURATION.read_text(),
        {
            "execd_spool_dir": f"{site.folder}/spool/execd",
            "mailer": "/bin/true",
            "administrator_mail": "none",
            "login_shells": "bash,sh,ksh,csh,tcsh",
            # A node that is silent for half a minute is unknown, as a Slurm node is down.
            "load_report_time": "00:00:10",
            "max_unheard": "00:00:30",
            # What a job leaves running is ended with it, found by the group that it was given.
            "execd_params": "ENABLE_ADDGRP_KILL=true",
            # A job that is deleted while it waits is in no accounting file: only the job log tells of it.
            "reporting_params": "accounting=true reporting=true flush_time=00:00:01 accounting_flush_time=00:00:01 "
            "joblog=true sharelog=00:00:00",
        },
    )


def node_configuration(index: int) -> str:
    """Nodes see each other's processes here, and Grid Engine tells jobs apart, to count and to end them, by an
    additional group: each node has groups of its own."""
    first = FIRST_GROUP + index * GROUPS_A_NODE
    return attributes({"gid_range": f"{first}-{first + GROUPS_A_NODE - 1}"})


def complexes(site: Site) -> dict[str, str]:
    """Attributes besides Grid Engine's own, or instead of them.

    Memory is `h_vmem`, per slot, as most sites have it: it is requested, booked, and enforced (as a limit of the
    address space). Grid Engine enforces the default as well, so it must be a real one: the smallest share of a core.
    `gpu` counts for the job and not for the slot, so that a job of eight cores and one card can be said."""
    fair = min(partition.memory_mib // partition.cores for partition in site.centre.partitions)
    memory = {"consumable": "YES", "default": f"{max(1, fair)}M"}
    found = {"h_vmem": replaced((RESOURCES / "centry/h_vmem").read_text(), memory)}
    if any(partition.gpus for partition in site.centre.partitions):
        shape = {"relop": "<=", "requestable": "YES", "consumable": "JOB", "default": "0", "urgency": "0"}
        found["gpu"] = attributes({"name": "gpu", "shortcut": "gpu", "type": "INT", **shape})
        shape |= {"relop": "==", "consumable": "NO", "default": "NONE"}
        found["gpu_model"] = attributes({"name": "gpu_model", "shortcut": "gpu_model", "type": "RESTRING", **shape})
    return found


def execution_host(name: str, partition: Partition) -> str:
    """What a node has. `num_proc` and the rest of its load are measured by the daemon, on this machine; a value that
    stands here is believed instead where sge_complex(5) compares it by ==."""
    values = {"slots": str(partition.cores), "num_proc": str(partition.cores), "h_vmem": f"{partition.memory_mib}M"}
    if partition.gpus:
        values |= {"gpu": str(partition.gpus), "gpu_model": partition.gpu_model}
    return attributes(
        {
            "hostname": name,
            "load_scaling": "NONE",
            "complex_values": ",".join(f"{key}={value}" for key, value in values.items()),
            **dict.fromkeys(("user_lists", "xuser_lists", "projects", "xprojects"), "NONE"),
            **dict.fromkeys(("usage_scaling", "report_variables"), "NONE"),
        }
    )


def parallel_environment(name: str) -> str:
    text = (RESOURCES / "pe" / name).read_text()
    rule = PARALLEL_ENVIRONMENTS[name]
    # One line of accounting for a job, and not one for every task that its MPI started beside it.
    return replaced(text, {"allocation_rule": rule, "control_slaves": "TRUE", "accounting_summary": "TRUE"})


def cluster_queue(site: Site, partition: Partition, template: str) -> str:
    """`template` is what `qconf -sq` prints."""
    nodes = [name for name, of in site.centre.nodes if of is partition]
    # A job's folder is called by its id alone: nodes of one job would empty each other's.
    scratch = ",".join(f"[{name}={site.folder}/scratch/{name}]" for name in nodes)
    return replaced(
        template,
        {
            "qname": partition.name,
            "hostlist": " ".join(nodes),
            "seq_no": "0" if partition.is_default else "10",
            "slots": str(partition.cores),
            "pe_list": " ".join(PARALLEL_ENVIRONMENTS),
            "tmpdir": f"/tmp,{scratch}",  # noqa: S108
            "shell": "/bin/bash",
            "shell_start_mode": "unix_behavior",
            # This machine's load says nothing about nodes that it only plays.
            "load_thresholds": "NONE",
            "h_rt": hours(partition.max_time),
        },
    )


def hours(limit: str) -> str:
    """D-HH:MM:SS as Grid Engine writes it, HH:MM:SS."""
    days, _, clock = limit.rpartition("-")
    hour, minutes_and_seconds = clock.split(":", 1)
    return f"{24 * int(days or 0) + int(hour):02}:{minutes_and_seconds}"


def last_job_id(site: Site) -> int:
    """The job number before the first: Grid Engine counts to LAST_JOB_ID, and begins anew at 1."""
    return (site.first_job_id % (LAST_JOB_ID + 1) or 1) - 1

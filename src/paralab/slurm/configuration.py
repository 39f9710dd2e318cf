"""A centre's Slurm configuration as text. Settings and their reasons were measured on Debian's Slurm 22.05."""

from pathlib import Path

from paralab.site import Site

# Schedule at once: Slurm's own batch_sched_delay of 3 s is what makes a trivial job take 3 s.
SCHEDULER = "batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1"


def conf_file(site: Site) -> Path:
    return site.folder / "etc" / "slurm.conf"


def slurm_conf(site: Site) -> str:
    replaced = {key.lower() for key in site.centre.slurm}
    parameters = {key: value for key, value in _parameters(site).items() if key.lower() not in replaced}
    parameters |= site.centre.slurm
    lines = [f"{key}={value}" for key, value in parameters.items()]
    return "\n".join([*lines, *_nodes(site), *_partitions(site), ""])


def _parameters(site: Site) -> dict[str, str]:
    folder = site.folder
    return {
        "ClusterName": site.cluster,
        "SlurmctldHost": f"{site.host}(127.0.0.1)",
        "SlurmctldPort": str(site.port + 1),
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "AuthType": "auth/munge",
        "CredType": "cred/munge",
        "StateSaveLocation": f"{folder}/state",
        "SlurmdSpoolDir": f"{folder}/spool/%n",
        # mpi/pmix makes a folder by user and job id under TmpFS, and two nodes on one host would collide in /tmp.
        "TmpFS": f"{folder}/scratch/%n",
        "SlurmctldPidFile": "/run/slurm/slurmctld.pid",
        "SlurmdPidFile": "/run/slurm/slurmd.%n.pid",
        "SlurmctldLogFile": f"{folder}/log/slurmctld.log",
        "SlurmdLogFile": f"{folder}/log/slurmd.%n.log",
        "SlurmctldDebug": "info",
        "SlurmdDebug": "info",
        # No cgroups are needed: real MaxRSS and CPU times come from /proc.
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "SwitchType": "switch/none",
        "MpiDefault": "pmix",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "GresTypes": "gpu",
        "SchedulerType": "sched/backfill",
        "SchedulerParameters": SCHEDULER,
        "PriorityType": "priority/multifactor",
        "SlurmdParameters": "config_overrides",
        "EnforcePartLimits": "ALL",
        "FirstJobId": str(site.first_job_id),
        "ReturnToService": "2",
        "SlurmctldTimeout": "30",
        "SlurmdTimeout": "30",
        "InactiveLimit": "0",
        "MinJobAge": "300",
        "MaxJobCount": "50000",
        "MaxArraySize": "10001",
        "KillWait": "2",
        "Waittime": "0",
        "BatchStartTimeout": "10",
        "EpilogMsgTime": "0",
        "TCPTimeout": "5",
        "MessageTimeout": "20",
        "MailProg": "/bin/true",
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=1",
        "AccountingStorageType": "accounting_storage/slurmdbd",
        "AccountingStorageHost": "127.0.0.1",
        "AccountingStoragePort": str(site.port + 2),
        # Here "Pass" means the munge socket for the connection to slurmdbd; without it slurmctld never serves.
        "AccountingStoragePass": "/run/munge/munge.socket.2",
        "AccountingStorageTRES": "gres/gpu",
        "JobCompType": "jobcomp/none",
    }


def _nodes(site: Site) -> list[str]:
    lines = []
    for index, (name, partition) in enumerate(site.centre.nodes):
        gres = f" Gres=gpu:{partition.gpu_model}:{partition.gpus}" if partition.gpus else ""
        lines.append(
            f"NodeName={name} NodeHostname={site.host} NodeAddr=127.0.0.1 Port={site.port + 100 + index} "
            f"CPUs={partition.cores} Boards=1 SocketsPerBoard=1 CoresPerSocket={partition.cores} ThreadsPerCore=1 "
            f"RealMemory={partition.memory_mib}{gres} State=UNKNOWN"
        )
    return lines


def _partitions(site: Site) -> list[str]:
    lines = []
    for partition in site.centre.partitions:
        nodes = ",".join(name for name, of in site.centre.nodes if of is partition)
        most = f" MaxNodes={partition.max_nodes}" if partition.max_nodes else ""
        default = " Default=YES" if partition.is_default else ""
        memory = max(1, partition.memory_mib // partition.cores // 2)
        lines.append(
            f"PartitionName={partition.name} Nodes={nodes}{default} MaxTime={partition.max_time} DefaultTime=00:10:00 "
            f"DefMemPerCPU={memory}{most} State=UP"
        )
    return lines


def gres_conf(site: Site) -> str:
    """Cards need a device file: a GRES with a count alone is refused by 22.05."""
    return "".join(
        f"NodeName={name} Name=gpu Type={partition.gpu_model} File={site.folder}/dev/nvidia[0-{partition.gpus - 1}]\n"
        for name, partition in site.centre.nodes
        if partition.gpus
    )


def slurmdbd_conf(site: Site) -> str:
    parameters = {
        "AuthType": "auth/munge",
        "DbdHost": site.host,
        "DbdAddr": "127.0.0.1",
        "DbdPort": str(site.port + 2),
        "SlurmUser": "root",
        "PidFile": "/run/slurm/slurmdbd.pid",
        "LogFile": f"{site.folder}/log/slurmdbd.log",
        "DebugLevel": "info",
        "StorageType": "accounting_storage/mysql",
        "StorageHost": "127.0.0.1",
        "StoragePort": str(site.database_port),
        "StorageUser": "slurm",
        "StoragePass": site.database_password,
        "StorageLoc": site.database_name,
    }
    return "".join(f"{key}={value}\n" for key, value in parameters.items())

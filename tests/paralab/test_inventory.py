"""What may stand in an inventory, and that whatever else stands there is refused with what to write instead."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paralab.errors import LabError
from paralab.inventory import SchedulerName, default_inventory, parse

PARTITION = 'nodes = 2\ncores = 4\nmemory_mib = 8000\nmax_time = "1-00:00:00"\n'
WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "centre",
        "accounts",
        "partition",
        "scheduler",
        "slurm",
        "nodes",
        "cores",
        "memory_mib",
        "gpus",
        "gpu_model",
        "default",
    ]
)


def inventory(partition: str = PARTITION, *, centre: str = "east", name: str = "cpu", more: str = "") -> str:
    return f"[centre.{centre}]\naccounts = 2\n[centre.{centre}.partition.{name}]\n{partition}\n{more}"


def scheduled(name: str, more: str = "", partition: str = PARTITION) -> str:
    return inventory(partition, more=more).replace("accounts", f'scheduler = "{name}"\naccounts')


def refusal(text: str) -> LabError:
    with pytest.raises(LabError) as raised:
        parse(text)
    return raised.value


def test_the_default_has_two_centres_unlike_in_size_partitions_and_limits() -> None:
    east, west = default_inventory().centres
    for centre in (east, west):
        assert {one.name for one in centre.partitions} == {"cpu", "debug", "gpu"}
        assert [one.name for one in centre.partitions if one.is_default] == ["cpu"]
        assert any(one.gpus for one in centre.partitions)
    assert len(east.nodes) != len(west.nodes)
    assert {(one.name, one.cores, one.max_time) for one in east.partitions}.isdisjoint(
        (one.name, one.cores, one.max_time) for one in west.partitions
    )


def test_accounts_and_nodes_are_named_after_their_centre() -> None:
    (centre,) = parse(inventory()).centres
    assert centre.pool == ("east001", "east002")
    assert centre.service_account == "eastsvc"
    assert [name for name, _ in centre.nodes] == ["eastcpu1", "eastcpu2"]


def test_sixty_four_nodes_are_allowed_over_all_partitions() -> None:
    text = inventory(PARTITION.replace("nodes = 2", "nodes = 60"))
    more = "[centre.east.partition.gpu]\n" + PARTITION.replace("nodes = 2", "nodes = 4")
    (centre,) = parse(text + more).centres
    assert len(centre.nodes) == 64


BAD = {
    "no TOML": ("[centre.east", "inventory", "TOML"),
    "a centre twice": (inventory() + inventory(), "inventory", "TOML"),
    "nothing at all": ("", "centre", "[centre.NAME]"),
    "another table": ("[center.east]", "inventory.center", "centre"),
    "a centre that is a number": ("centre = 3", "inventory.centre", "[centre.NAME]"),
    "an unknown key of a centre": ("[centre.east]\naccount = 2", "centre.east.account", "accounts"),
    "an unknown key of a partition": (inventory(PARTITION + "node = 3"), "partition.cpu.node", "nodes"),
    "no partition": ("[centre.east]\naccounts = 2", "centre.east.partition", "1 to 64 nodes"),
    "a partition without nodes": (inventory(PARTITION.replace("nodes = 2", "")), "cpu.nodes", "1 to 64"),
    "no node": (inventory(PARTITION.replace("nodes = 2", "nodes = 0")), "cpu.nodes", "1 to 64"),
    "65 nodes": (inventory(PARTITION.replace("nodes = 2", "nodes = 65")), "cpu.nodes", "1 to 64"),
    "65 nodes in two partitions": (
        inventory(
            PARTITION.replace("nodes = 2", "nodes = 64"),
            more="[centre.east.partition.debug]\n" + PARTITION.replace("nodes = 2", "nodes = 1"),
        ),
        "centre.east.partition",
        "1 to 64 nodes in all, not 65",
    ),
    "true as a number": (inventory(PARTITION.replace("nodes = 2", "nodes = true")), "cpu.nodes", "whole number"),
    "a number in quotes": (inventory(PARTITION.replace("cores = 4", 'cores = "4"')), "cpu.cores", "whole number"),
    "half a core": (inventory(PARTITION.replace("cores = 4", "cores = 0.5")), "cpu.cores", "whole number"),
    "no core": (inventory(PARTITION.replace("cores = 4", "cores = 0")), "cpu.cores", "1 to 1024"),
    "negative memory": (inventory(PARTITION.replace("8000", "-1")), "cpu.memory_mib", "whole number"),
    "no accounts": (inventory().replace("accounts = 2", "accounts = 0"), "east.accounts", "1 to 200"),
    "a capital in a name": (inventory(centre="East"), "centre.East", "a-z"),
    "a name with a space": (inventory(centre='"ea st"'), "centre.ea st", "a-z"),
    "a name that leads elsewhere": (inventory(centre='"../east"'), "centre.../east", "a-z"),
    "a name with a line break": (inventory(centre='"east\\n"'), "centre.east?", "a-z"),
    "a name with an escape code": (inventory(centre='"\\u001b[31m"'), "centre.?[31m", "a-z"),
    "a Chinese name": (inventory(centre='"东"'), "centre.东", "a-z"),
    "a name in foreign digits": (inventory(centre='"e١"'), "centre.e١", "a-z"),
    "a name that begins with a digit": (inventory(centre="1east"), "centre.1east", "letter"),
    "a name that ends in a hyphen": (inventory(centre="east-"), "centre.east-", "end in -"),
    "a name that is too long": (inventory(centre="e" * 16), "centre.eeee", "at most 15"),
    "a partition called default": (inventory(name="default"), "partition.default", "another name"),
    "a partition with a comma": (inventory(name='"a,b"'), "partition.a,b", "a-z"),
    "two nodes of one name": (
        inventory(
            PARTITION.replace("nodes = 2", "nodes = 12"),
            more="[centre.east.partition.cpu1]\n" + PARTITION,
        ),
        "partition.cpu1",
        "eastcpu11 would be called as one of partition cpu",
    ),
    "a time without seconds": (inventory(PARTITION.replace("1-00:00:00", "30:00")), "cpu.max_time", "D-HH:MM:SS"),
    "a time of 90 minutes": (inventory(PARTITION.replace("1-00:00:00", "0:90:00")), "cpu.max_time", "D-HH:MM:SS"),
    "no time at all": (inventory(PARTITION.replace("1-00:00:00", "0-00:00:00")), "cpu.max_time", "longer than nothing"),
    "default in words": (inventory(PARTITION + 'default = "yes"'), "cpu.default", "true or false"),
    "two defaults": (
        inventory(PARTITION + "default = true\n", more=f"[centre.east.partition.b]\n{PARTITION}default = true\n"),
        "centre.east.partition",
        "at one partition alone",
    ),
    "more nodes for a job than there are": (inventory(PARTITION + "max_nodes = 3"), "cpu.max_nodes", "1 to 2"),
    "cards without a model": (inventory(PARTITION + "gpus = 4"), "cpu.gpu_model", "a100"),
    "a model without cards": (inventory(PARTITION + 'gpu_model = "a100"'), "cpu.gpus", "1 to 16"),
    "minus four cards": (inventory(PARTITION + 'gpus = -4\ngpu_model = "a100"'), "cpu.gpus", "0 to 16"),
    "17 cards": (inventory(PARTITION + 'gpus = 17\ngpu_model = "a100"'), "cpu.gpus", "0 to 16"),
    "a model that is a list of models": (inventory(PARTITION + 'gpus = 4\ngpu_model = "a100:2"'), "gpu_model", "a100"),
    "a model that is a number": (inventory(PARTITION + "gpus = 4\ngpu_model = 100"), "cpu.gpu_model", "a100"),
    "a port of one's own": (inventory(more="[centre.east.slurm]\nSlurmctldPort = 6817"), "SlurmctldPort", "paralab"),
    "another port in small letters": (inventory(more="[centre.east.slurm]\nslurmdport = 1"), "slurmdport", "paralab"),
    "a node beside": (inventory(more='[centre.east.slurm]\nNodeName = "x"'), "slurm.NodeName", "paralab"),
    "another file": (inventory(more='[centre.east.slurm]\nInclude = "/etc/x"'), "slurm.Include", "paralab"),
    "a second line": (inventory(more='[centre.east.slurm]\nMailProg = "a\\nb"'), "slurm.MailProg", "one line"),
    "a parameter that is none": (inventory(more='[centre.east.slurm]\n"a=b" = "c"'), "slurm.a=b", "a parameter"),
    "a truth as a parameter": (inventory(more="[centre.east.slurm]\nMailProg = true"), "slurm.MailProg", "one line"),
    "a parameter twice": (
        inventory(more="[centre.east.slurm]\nMinJobAge = 1\nminjobage = 2"),
        "centre.east.slurm",
        "each parameter once",
    ),
    "another scheduler": (scheduled("pbs"), "east.scheduler", '"slurm" / "gridengine"'),
    "a scheduler that is a number": (scheduled("").replace('""', "3"), "east.scheduler", '"slurm" / "gridengine"'),
    "a scheduler in capitals": (scheduled("Slurm"), "east.scheduler", '"slurm" / "gridengine"'),
    "slurm.conf where Grid Engine runs": (
        scheduled("gridengine", "[centre.east.slurm]\nMailProg = 'a'"),
        "centre.east.slurm",
        "Grid Engine has no slurm.conf",
    ),
    "an empty slurm.conf where Grid Engine runs": (
        scheduled("gridengine", "[centre.east.slurm]"),
        "centre.east.slurm",
        "Grid Engine has no slurm.conf",
    ),
    "most nodes of a job where Grid Engine runs": (
        scheduled("gridengine", partition=PARTITION + "max_nodes = 2"),
        "cpu.max_nodes",
        "a Grid Engine queue cannot say",
    ),
    "a queue that Grid Engine keeps for itself": (
        scheduled("gridengine", f"[centre.east.partition.template]\n{PARTITION}"),
        "partition.template",
        "another name",
    ),
    "a table as a parameter": (inventory(more="[centre.east.slurm.x]\ny = 1"), "centre.east.slurm", "a line for each"),
}


@pytest.mark.parametrize("why", BAD)
def test_what_is_wrong_is_refused_with_its_place_and_what_to_write(why: str) -> None:
    text, place, wanted = BAD[why]
    error = refusal(text)
    assert place in error.en
    assert wanted in error.en
    assert re.search(r"[\u4e00-\u9fff]", error.zh)
    assert error.en.isprintable()
    assert error.zh.isprintable()


def test_what_the_inventory_says_of_slurm_is_kept() -> None:
    (centre,) = parse(inventory(more='[centre.east.slurm]\nMinJobAge = 5\nSchedulerParameters = "defer"')).centres
    assert centre.slurm == {"MinJobAge": "5", "SchedulerParameters": "defer"}


def test_a_centre_is_run_by_slurm_unless_it_says_grid_engine() -> None:
    named = [parse(text).centres[0].scheduler for text in (inventory(), scheduled("slurm"), scheduled("gridengine"))]
    assert named == [SchedulerName.SLURM, SchedulerName.SLURM, SchedulerName.GRID_ENGINE]
    assert {centre.scheduler for centre in default_inventory().centres} == {SchedulerName.SLURM}


@given(st.dictionaries(KEYS | WORDS, VALUES, max_size=4))
def test_no_inventory_ends_in_anything_but_a_refusal(tree: dict[str, object]) -> None:
    for text in (
        toml({"centre": {"east": tree}}),
        toml({"centre": {"east": {"partition": {"cpu": tree}}}}),
        toml(tree),
    ):
        with suppress(LabError):
            parse(text)


def toml(tree: object) -> str:
    """One line for each key, tables in braces: enough to carry any value into the parser."""
    if not isinstance(tree, dict):
        return ""
    return "".join(f"{_quoted(key)} = {_value(value)}\n" for key, value in tree.items())


def _value(value: object) -> str:
    match value:
        case bool() | None:
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _quoted(value)
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{_quoted(key)} = {_value(one)}" for key, one in value.items()) + "}"
    raise TypeError(type(value))


def _quoted(text: str) -> str:
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text) + '"'

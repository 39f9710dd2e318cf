"""What was found at a centre, for whoever connects it."""

import typer

from paracloud.cli import show
from paracloud.cli.kinds import FINDINGS, kind
from paracloud.cli.words import plain, say
from paracloud.wire.surveys import FindingModel, SurveyModel

MARKS = {"well": "✓", "advice": "!", "missing": "✗"}
GIB = 1 << 30


def survey(found: SurveyModel) -> None:
    all_of(found.findings)
    if found.queues:
        rows = [
            (
                one.name,
                one.nodes,
                one.cores_per_node,
                one.memory_per_node_bytes // GIB,
                one.gpu_model and f"{one.gpus_per_node} {one.gpu_model}",
                None if one.max_wall_seconds is None else _wall(one.max_wall_seconds),
            )
            for one in found.queues
        ]
        show.table(["queue", "nodes", "cores/node", "GiB/node", "cards", "limit"], rows)
    if found.node_types:
        types = [
            (one.nodes, one.cores, one.memory_bytes // GIB, one.gpu_model and f"{one.gpus} {one.gpu_model}",
             ", ".join(one.queues))
            for one in found.node_types
        ]  # fmt: skip
        show.table(["nodes", "cores", "memory/GiB", "cards", "queues"], types)


def all_of(findings: list[FindingModel]) -> None:
    colon = say(": ", "：")
    for one in findings:
        # Not broken into lines: some have a line to be copied.
        text = f"{MARKS[one.level]} {plain(kind(one.what, FINDINGS))}{colon}{plain(say(one.en, one.zh))}"
        show.console.print(text, markup=False, soft_wrap=True)


def _wall(seconds: int) -> str:
    """As schedulers write it: 1-00:00:00."""
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}-{clock}" if days else clock


def end(
    name: str, found: SurveyModel, findings: list[FindingModel], *, is_fit: bool, is_connected: bool, as_json: bool
) -> None:
    lacking = sum(one.level == "missing" for one in findings)
    if as_json:
        tree = found.model_dump(mode="json") | {
            "is_fit": is_fit,
            "is_connected": is_connected,
            "findings": [one.model_dump() for one in findings],
        }
        show.as_json(tree)
    elif is_connected:
        show.console.print(
            say(
                f"{name} is connected. Next: a price for each queue (`admin price`), and the contract with the centre "
                "(`admin contract`): a queue without a price is not offered.",
                f"{name} 已接入。下一步：为每个分区设定价格（admin price）并与中心签订合同（admin contract）；"
                "没有价格的分区不会对外提供。",
            )
        )
    elif is_fit:
        show.console.print(say(f"{name} is fit; nothing was connected.", f"{name} 检查通过；尚未接入。"))
    else:
        show.console.print(
            say(
                f"{name} was not connected. Missing (✗): {lacking}. Mend that, and run this again.",
                f"{name} 未接入。缺少（✗）{lacking} 项，请处理后重新运行。",
            )
        )
    if not is_fit:
        raise typer.Exit(1)

"""The tag of a submission as a job's native name carries it, whatever the scheduler."""

import re

from paracloud.kit.identifiers import SubmitTag

NAME_PREFIX = "pc-"
_TAGGED_NAME = re.compile(r"pc-([0-9a-f]{32})")


def native_name(tag: SubmitTag) -> str:
    return NAME_PREFIX + tag


def tag_of(name: str) -> SubmitTag | None:
    """The tag that a job's native name carries. None: this name carries none."""
    match = _TAGGED_NAME.fullmatch(name)
    return SubmitTag(match[1]) if match else None


def is_tag(text: str) -> bool:
    return tag_of(NAME_PREFIX + text) is not None

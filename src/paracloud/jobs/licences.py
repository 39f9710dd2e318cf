"""Licences that a job asks for (man sbatch, --licenses): they are priced like all that it can be given."""

import re
from collections.abc import Mapping

from paracloud.dialects.resources import LICENCE, named, together
from paracloud.kit.errors import Invalid

KINDS_MOST = 20
_ONE = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_./+-]{0,79})(?:@[A-Za-z0-9_.-]{1,80})?(?::([0-9]{1,6}))?", re.ASCII)


def read_licences(text: str) -> Mapping[str, int]:
    """Of name[@server][:count] between commas, by the names that accounting has for them; none for an empty text.
    Invalid for whatever else sbatch may take: what the job can cost at most depends on it."""
    words = [word for word in re.split("[,;]", text) if word]
    found = [_ONE.fullmatch(word) for word in words]
    if len(words) > KINDS_MOST or any(one is None or one[2] == "0" for one in found):
        raise Invalid(
            f"--licenses must be up to {KINDS_MOST} of name[@server][:count] between commas, such as matlab:2, not "
            f"{text[:40]!a}.",
            f"--licenses 必须是以逗号分隔的 名称[@服务器][:数量]，最多 {KINDS_MOST} 项，例如 matlab:2，"
            f"而不是 {text[:40]!a}。",
            field="licenses",
        )
    return together((named(LICENCE, one[1]), int(one[2] or 1)) for one in found if one is not None)

"""Why the database refused a row: by the name of the constraint, one sentence each."""

from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError

from paracloud.kit.database import violated
from paracloud.kit.errors import Invalid, Refused


def refused(error: IntegrityError, reasons: Mapping[str, Refused]) -> Refused:
    """The reason under the constraint's name. What has none is a defect of ours, and raised as it came."""
    found = reasons.get(violated(error))
    if found is None:
        raise error
    return found


def no_centre(centre: str) -> Invalid:
    return Invalid(f"There is no centre {centre}.", f"超算中心 {centre} 不存在。", field="centre")


def no_project(field: str = "project") -> Invalid:
    return Invalid(f"{field}: there is no such project.", f"{field}：课题组不存在。", field=field)

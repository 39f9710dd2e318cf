"""Why a person moved money by hand."""

from paracloud.kit.errors import Invalid

LONGEST = 1000


def require_reason(text: str) -> None:
    """Invalid where it says nothing, or is too long to be read on a statement."""
    if not text.strip() or len(text) > LONGEST:
        raise Invalid(
            f"reason: say why, in 1 to {LONGEST} characters.",
            f"reason：请说明原因，1 到 {LONGEST} 个字符。",
            field="reason",
        )

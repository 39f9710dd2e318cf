"""What a name may look like, in one place."""

import re
import unicodedata

from paracloud.kit.errors import Invalid

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
LONGEST = 200


def title(text: str, field: str) -> str:
    """A name for people: 1 to 200 printable characters, any script, normalised (NFC), without outer blanks."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise Invalid(
            f"{field}: write 1 to {LONGEST} printable characters.",
            f"{field}：请填写 1 到 {LONGEST} 个可见字符。",
            field=field,
        )
    return name


def login(text: str) -> str:
    if not LOGIN.fullmatch(text):
        raise Invalid(
            "login: write 1 to 64 of a-z, 0-9, dot, dash, underscore and @, beginning with a letter or digit.",
            "login：请使用 1 到 64 个小写字母、数字、点、横线、下划线或 @，以字母或数字开头。",
            field="login",
        )
    return text

"""What is wrong in a request, said to its writer: what to change, in two languages. The server says it of what came,
the command line of what it will not even send."""

from collections.abc import Mapping, Sequence
from typing import Any

NO_OBJECT = (
    "Send a JSON object, with the header Content-Type: application/json.",
    "请发送 JSON 对象，并设置请求头 Content-Type: application/json。",
)
DAY = ("write a day such as 2026-06-01", "请写成日期，例如 2026-06-01")
PATTERNS = {
    r"^\d{4}-\d{2}$": ("write it as 2026-06", "请写成 2026-06"),
    "^[0-9a-f]{64}$": ("write a SHA-256, as 64 hexadecimal digits", "必须是 SHA-256（64 位十六进制）"),
    "^[a-z][a-z0-9-]{0,30}$": (
        "write a name of a-z, 0-9 and -, of at most 31 characters that begin with a letter",
        "请填写以字母开头、由 a-z、0-9 和 - 组成的名称，最多 31 个字符",
    ),
}
"""What a pattern of ours asks for."""
WORDS: dict[str, tuple[str, str]] = {
    "missing": ("this is needed", "必须填写"),
    "extra_forbidden": ("there is no such field; remove it", "没有这个字段，请删除"),
    "string_type": ("write text", "必须是文本"),
    "string_too_short": ("at least {min_length} characters", "至少 {min_length} 个字符"),
    "string_too_long": ("at most {max_length} characters", "最多 {max_length} 个字符"),
    "too_long": ("at most {max_length}", "最多 {max_length} 个"),
    "too_short": ("at least {min_length}", "至少 {min_length} 个"),
    "string_pattern_mismatch": ("it must look like {pattern}", "格式应为 {pattern}"),
    "int_type": ("write a whole number", "必须是整数"),
    "int_parsing": ("write a whole number", "必须是整数"),
    "int_parsing_size": ("write a whole number, and a smaller one", "必须是整数，且不能过大"),
    "int_from_float": ("write a whole number", "必须是整数"),
    "greater_than_equal": ("at least {ge}", "不能小于 {ge}"),
    "less_than_equal": ("at most {le}", "不能大于 {le}"),
    "bool_type": ("write true or false", "必须是 true 或 false"),
    "bool_parsing": ("write true or false", "必须是 true 或 false"),
    "uuid_type": ("write an id, as 36 characters", "必须是 36 个字符的编号"),
    "uuid_parsing": ("write an id, as 36 characters", "必须是 36 个字符的编号"),
    "enum": ("one of {expected}", "必须是以下之一：{expected}"),
    "literal_error": ("one of {expected}", "必须是以下之一：{expected}"),
    "dict_type": ("write an object of names and texts", "必须是由名称和文本组成的对象"),
    "list_type": ("write a list", "必须是列表"),
    "model_attributes_type": ("write an object", "必须是对象"),
    "datetime_type": ("write a time such as 2026-06-01T08:00:00+08:00", "必须是时间，例如 2026-06-01T08:00:00+08:00"),
    "datetime_parsing": (
        "write a time such as 2026-06-01T08:00:00+08:00",
        "必须是时间，例如 2026-06-01T08:00:00+08:00",
    ),
    "datetime_from_date_parsing": (
        "write a time such as 2026-06-01T08:00:00+08:00",
        "必须是时间，例如 2026-06-01T08:00:00+08:00",
    ),
    "date_type": DAY,
    "date_parsing": DAY,
    "date_from_datetime_parsing": DAY,
    "date_from_datetime_inexact": DAY,
    "timezone_aware": ("a time has a zone, such as 2026-06-01T08:00:00+08:00", "时间须带时区，例如 +08:00"),
}
"""By the names of pydantic's errors (https://docs.pydantic.dev/latest/errors/validation_errors)."""
OWN_ZH = {
    "text must be Unicode without the character NUL": "文本必须是 Unicode，且不含 NUL 字符",
    "write 1 to 100 printable characters, without blanks at either end": "请填写 1 到 100 个可见字符，首尾不得有空格",
    "a time lies in the years 2000 to 2200": "时间必须在 2000 到 2200 年之间",
}


def _field(place: Sequence[str | int]) -> str:
    """Its path, written like jobs[2].script."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(parts[1:] if parts and place[0] in ("body", "query", "path", "header") else parts).removeprefix(".")


def worded(error: Mapping[str, Any]) -> tuple[str | None, str, str]:
    """The field at fault, if it is one, and a sentence in English and one in Chinese."""
    field = _field(error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    if kind == "json_invalid":
        en = f"The body is no JSON: {context.get('error', 'it ends too early')} (character {error['loc'][-1]})."
        return None, en, f"请求体不是有效的 JSON（第 {error['loc'][-1]} 个字符处）。"
    if not field:
        return None, *NO_OBJECT
    if kind == "value_error":
        text = str(context.get("error", error["msg"]))
        en, zh = text, OWN_ZH.get(text, f"内容不正确（{text}）")
    elif context.get("pattern") in PATTERNS:
        en, zh = PATTERNS[context["pattern"]]
    elif kind in WORDS:
        en, zh = (text.format_map(context) for text in WORDS[kind])
        zh = zh.replace(" or ", " 或 ")
    else:
        en, zh = error["msg"], f"格式不正确（{error['msg']}）"
    return field[:200], f"{field[:200]}: {en}.", f"{field[:200]}：{zh}。"

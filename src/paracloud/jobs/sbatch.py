"""Read an unmodified sbatch script: its `#SBATCH` lines become options, the text itself stays as it is.

The rules are sbatch's own, tried on 22.05: a directive begins in the first column; reading stops at the first line that
is neither empty nor a comment; `#` outside quotes ends a directive, also within a word; a backslash escapes; a word
that is no option is an error; a long option may be shortened while it stays unambiguous; the last of two wins.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from paracloud.jobs.directives import Directive, Takes, Use, find, find_short
from paracloud.jobs.notice import Notice
from paracloud.kit.errors import Invalid, TooLarge, Unsupported

SCRIPT_LIMIT_BYTES = 1 << 20
DIRECTIVE_LIMIT = 8000
"""Characters; sbatch's own buffer holds 8 KiB."""
_MAGIC = "#SBATCH"


@dataclass(frozen=True, slots=True)
class Script:
    """`options` by long name; an option without a value has the empty text. Not yet checked: `build` does that."""

    text: str
    options: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


def read_script(content: bytes | str) -> Script:
    """TooLarge, Invalid or Unsupported say what to change, with the number of the line."""
    text, notices = _decode(content.encode(errors="surrogatepass") if isinstance(content, str) else content)
    options: dict[str, str] = {}
    for number, line in _directive_lines(text):
        try:
            for directive, value in parse_words(split_words(line)):
                if notice := _take(options, directive, value):
                    notices.append(notice)
        except (Invalid, Unsupported) as error:
            at_en, at_zh = f"Line {number} of the script: {error.en}", f"脚本第 {number} 行：{error.zh}"
            raise type(error)(at_en, at_zh, field=error.field) from error
    return Script(text, options, tuple(notices))


def read_options(words: Sequence[str]) -> Script:
    """The same options, written on a command line: words that a shell has already split."""
    options: dict[str, str] = {}
    notices = [notice for directive, value in parse_words(words) if (notice := _take(options, directive, value))]
    return Script("", options, tuple(notices))


def parse_words(words: Sequence[str]) -> Iterator[tuple[Directive, str]]:
    """Pairs of option and value, as getopt_long reads them: --name=value, --name value, -n4, -n 4, -QH."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and len(word) > 2:
            yield _long(word, rest)
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word, rest)
        else:
            raise Invalid(
                f"{word[:60]!r} is no option; options begin with - or --.",
                f"{word[:60]!r} 不是选项，选项应以 - 或 -- 开头。",
                field="script",
            )


def split_words(line: str) -> list[str]:
    """One directive's words: quotes and backslashes removed, everything after an unquoted # dropped."""
    words: list[str] = []
    word: list[str] | None = None
    quote = ""
    letters = iter(line)
    for letter in letters:
        if not quote and letter == "#":
            break
        if not quote and letter.isspace():
            words, word = words if word is None else _with(words, word), None
            continue
        word = [] if word is None else word
        if letter == "\\":
            word.append(next(letters, ""))
        elif letter == quote or (not quote and letter in "\"'"):
            quote = "" if quote else letter
        else:
            word.append(letter)
    if quote:
        raise Invalid(f"A quotation mark {quote} is not closed.", f"引号 {quote} 没有闭合。", field="script")
    return words if word is None else _with(words, word)


def _with(words: list[str], word: list[str]) -> list[str]:
    words.append("".join(word))
    return words


def _decode(content: bytes) -> tuple[str, list[Notice]]:
    if len(content) > SCRIPT_LIMIT_BYTES:
        raise TooLarge(
            f"The script has {len(content)} bytes, the limit is {SCRIPT_LIMIT_BYTES}: put data into input files.",
            f"脚本有 {len(content)} 字节，上限为 {SCRIPT_LIMIT_BYTES}：请把数据放入输入文件。",
            field="script",
        )
    if b"\0" in content:
        raise _unreadable("it contains NUL bytes, so it is no text", "含有 NUL 字节，不是文本")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(
            f"it is not UTF-8 (byte {error.start})", f"不是 UTF-8 编码（第 {error.start} 字节）"
        ) from error
    if not text.strip():
        raise _unreadable("it is empty", "内容为空")
    if not text.startswith("#!"):
        raise _unreadable(
            "its first line must be #! and the path of an interpreter, such as #!/bin/bash",
            "第一行必须是 #! 加解释器路径，例如 #!/bin/bash",
        )
    return _unix_lines(text)


def _unix_lines(text: str) -> tuple[str, list[Notice]]:
    if "\r\n" not in text:
        return text, []
    en = "The script had Windows line ends (CR LF); they were converted."
    zh = "脚本使用了 Windows 换行符（CR LF），已自动转换。"
    return text.replace("\r\n", "\n"), [Notice("script", en, zh)]


def _unreadable(en: str, zh: str) -> Invalid:
    return Invalid(f"This is not a batch script: {en}.", f"这不是批处理脚本：{zh}。", field="script")


def _directive_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_MAGIC):
            if len(line) > DIRECTIVE_LIMIT:
                raise TooLarge(
                    f"Line {number} of the script is a directive of more than {DIRECTIVE_LIMIT} characters.",
                    f"脚本第 {number} 行的指令超过 {DIRECTIVE_LIMIT} 个字符。",
                    field="script",
                )
            yield number, line.removeprefix(_MAGIC)
        elif line.strip() and not line.lstrip().startswith("#"):
            return


def _long(word: str, rest: list[str]) -> tuple[Directive, str]:
    name, equals, value = word[2:].partition("=")
    directive = find(name)
    if equals and directive.takes is Takes.NOTHING:
        raise Invalid(f"--{directive.name} takes no value.", f"--{directive.name} 不带值。", field=directive.name)
    if not equals and directive.takes is Takes.VALUE:
        return directive, _next_word(directive, rest)
    return directive, value


def _short(word: str, rest: list[str]) -> Iterator[tuple[Directive, str]]:
    """A cluster: letters without a value, then perhaps one with, whose value follows at once or as the next word."""
    for place, letter in enumerate(word[1:], 2):
        directive = find_short(letter)
        if directive.takes is Takes.NOTHING:
            yield directive, ""
            continue
        value = word[place:]
        yield directive, value if value or directive.takes is Takes.PERHAPS else _next_word(directive, rest)
        return


def _next_word(directive: Directive, rest: list[str]) -> str:
    if not rest:
        raise Invalid(f"--{directive.name} needs a value.", f"--{directive.name} 缺少值。", field=directive.name)
    return rest.pop(0)


def _take(options: dict[str, str], directive: Directive, value: str) -> Notice | None:
    match directive.use:
        case Use.HONOURED | Use.PASSED | Use.COUNTED:
            options.pop(directive.name, None)
            options[directive.name] = value
        case Use.REFUSED:
            raise Unsupported(
                f"--{directive.name}: {directive.en}.", f"--{directive.name}：{directive.zh}。", field=directive.name
            )
        case Use.IGNORED:
            return Notice(
                directive.name,
                f"--{directive.name} is ignored: {directive.en}.",
                f"--{directive.name} 被忽略：{directive.zh}。",
            )
        case Use.SILENT:
            pass
    return None

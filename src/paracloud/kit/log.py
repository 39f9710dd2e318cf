"""Logs as key=value, one line a decision, to one stream: our own words and those of the libraries alike.

A value may come from a centre or a user, so what a terminal would act upon is escaped; what looks like a secret is
struck out, wherever it stands.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

SECRET_KEYS = frozenset(
    {"token", "password", "passwd", "secret", "authorization", "cookie", "private_key", "api_key", "database_url"}
)
SECRET_TEXTS = (
    (re.compile(r"\bpc_[\w-]{16,}"), "pc_***"),
    (re.compile(r"(?i)\bbearer\s+[\w.~+/=-]+"), "Bearer ***"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@"), r"\1:***@"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), "***"),
)
LONGEST_TEXT = 2000
LONGEST_TRACE = 20_000
QUIET = ("asyncssh", "httpx", "httpcore", "alembic", "sqlalchemy", "asyncio", "uvicorn.access")
"""Libraries that tell each step; their warnings are enough."""


def configure_logs(level: str = "info", stream: TextIO | None = None) -> None:
    """`level` is debug, info, warning or error; stderr is the default stream. Called once, by the composition root."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every value as a text without secrets, without control characters and not longer than evidence has to be."""
    return {key: "***" if key.lower() in SECRET_KEYS else safe(key, value) for key, value in event.items()}


def safe(key: str, value: object) -> str:
    limit = LONGEST_TRACE if key == "exception" else LONGEST_TEXT
    text = str(value)
    for pattern, replacement in SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    if len(text) > limit:
        text = f"{text[:limit]}…"
    text = text.replace("\\", "\\\\")
    return text if text.isprintable() else "".join(map(_printable, text))


def render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """time, level and event first; a value is quoted where it would not be one word otherwise."""
    first = [key for key in ("timestamp", "level", "event") if key in event]
    rest = [key for key in event if key not in first]
    return " ".join(f"{_word(key)}={_quoted(event[key])}" for key in (*first, *rest))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _word(key: str) -> str:
    return re.sub(r"[^\w.-]", "_", key)


def _quoted(text: str) -> str:
    if text and not re.search(r'[\s"=]', text):
        return text
    return '"' + text.replace('"', '\\"') + '"'

"""What an operator may set: a TOML file named by PARACLOUD_CONFIG, then PARACLOUD_* variables, then DATABASE_URL and
DATABASE_OWNER_URL.

Read once, by the composition root, and handed on as values. The same names everywhere: `api_port = 8620` in the file is
PARACLOUD_API_PORT=8620 in the environment, and the environment wins.
"""

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from paracloud.kit.errors import Forbidden, Invalid
from paracloud.kit.secret import Secret

PREFIX = "PARACLOUD_"
CONFIG = "PARACLOUD_CONFIG"
CLIENT_NAMES = frozenset({"PARACLOUD_URL", "PARACLOUD_TOKEN", "PARACLOUD_PROJECT", "PARACLOUD_LANGUAGE"})
"""Variables of the command line: they may stand in the same shell and mean nothing to the server."""
OWN_NAMES = ("DATABASE_URL", "DATABASE_OWNER_URL")
SCHEMES = ("postgresql://", "postgres://")


def _database_url(value: object) -> Secret:
    text = value.reveal() if isinstance(value, Secret) else value
    if not isinstance(text, str) or not text.startswith(SCHEMES):
        raise ValueError("write postgresql://user:password@host/database")
    return Secret(text)


class Settings(BaseModel):
    """Folders and files that are not set lie in `state_folder`. `database_url` None: an embedded PostgreSQL there.
    `database_owner_url` is the login that owns the tables and migrates them; without it `database_url` is, and the
    application takes its own role after it has logged in. `operator_name` stands on bills. `commands_per_minute`,
    `patience_seconds` and `overrun_seconds` are what a centre gets that is connected without its own.
    `lease_margin_seconds` is how long before a lease ends its holder stops by itself. `reroute`: jobs that have
    to wait are kept back until a centre has room for them, and those that wait too long move to other centres."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    state_folder: Path
    database_url: Annotated[Secret, BeforeValidator(_database_url)] | None = None
    database_owner_url: Annotated[Secret, BeforeValidator(_database_url)] | None = None
    database_pool: int = Field(10, ge=1, le=200)
    operator_name: str = Field("paracloud", min_length=1, max_length=120)
    api_host: str = Field("127.0.0.1", min_length=1, max_length=253)
    api_port: int = Field(8620, ge=0, le=65535)
    lease_seconds: float = Field(12.0, ge=1, le=3600)
    lease_margin_seconds: float = Field(3.0, gt=0)
    commands_per_minute: int = Field(240, ge=1, le=6000)
    patience_seconds: int = Field(600, ge=1, le=604_800)
    overrun_seconds: int = Field(120, ge=0, le=86_400)
    reroute: bool = True
    upload_limit_bytes: int = Field(16 << 30, ge=1)
    project_storage_bytes: int = Field(64 << 30, ge=1)
    blob_folder: Path
    log_folder: Path
    authority_socket: Path
    authority_key_file: Path
    secret_key_file: Path
    receipt_key_file: Path
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="before")
    @classmethod
    def _place_what_is_not_placed(cls, values: dict[str, Any]) -> dict[str, Any]:
        try:
            folder = Path(values["state_folder"]).expanduser().resolve()
        except TypeError:
            return values  # the field's own check names it
        placed = {
            "blob_folder": folder / "blobs",
            "log_folder": folder / "logs",
            "authority_socket": folder / "authority.sock",
            "authority_key_file": folder / "authority.key",
            "secret_key_file": folder / "server.key",
            "receipt_key_file": folder / "receipts.key",
        }
        return placed | values | {"state_folder": folder}

    @model_validator(mode="after")
    def _margin_is_shorter(self) -> "Settings":
        if self.lease_margin_seconds >= self.lease_seconds:
            raise ValueError("lease_margin_seconds must be shorter than lease_seconds")
        return self

    @model_validator(mode="after")
    def _owner_is_not_alone(self) -> "Settings":
        if self.database_owner_url is not None and self.database_url is None:
            raise ValueError("database_owner_url needs database_url beside it, the application's own way in")
        return self

    @property
    def database_folder(self) -> Path:
        """Where the embedded PostgreSQL lives."""
        return self.state_folder / "postgres"

    @property
    def lease_ttl(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def lease_margin(self) -> timedelta:
        return timedelta(seconds=self.lease_margin_seconds)

    @property
    def renew_every(self) -> timedelta:
        """Two renewals may fail before the holder has to stop."""
        return (self.lease_ttl - self.lease_margin) / 3

    @property
    def patience(self) -> timedelta:
        return timedelta(seconds=self.patience_seconds)

    @property
    def overrun(self) -> timedelta:
        return timedelta(seconds=self.overrun_seconds)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Invalid names the key at fault and never shows its value; Forbidden where others may read a file that holds the
    database's password."""
    values = {"state_folder": str(_state_folder(environment))}
    if path := environment.get(CONFIG):
        values |= _file(Path(path))
    values |= _variables(environment)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from None  # the error itself holds the values, secrets too


def _state_folder(environment: Mapping[str, str]) -> Path:
    """Root's own home is closed to the account that the embedded database runs under."""
    if os.getuid() == 0:
        return Path("/var/lib/paracloud")
    return Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "paracloud"


def _file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(
            f"{CONFIG} names {path}, which cannot be read: {error.strerror}.",
            f"{CONFIG} 指定的 {path} 无法读取：{error.strerror}。",
            field=CONFIG,
        ) from error
    except ValueError as error:
        raise Invalid(f"{path} is not TOML: {error}.", f"{path} 不是有效的 TOML：{error}。", field=CONFIG) from error
    if values.keys() & {"database_url", "database_owner_url"} and path.stat().st_mode & 0o007:
        raise Forbidden(
            f"{path} holds a database's password and is open to everybody; run chmod o= on it.",
            f"{path} 含有数据库密码且对所有人开放；请执行 chmod o=。",
        )
    return values


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    ignored = CLIENT_NAMES | {CONFIG}
    values = {
        name.removeprefix(PREFIX).lower(): text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name not in ignored
    }
    for name in OWN_NAMES:
        if url := environment.get(name):
            values[name.lower()] = url
    return values


def _invalid(error: ValidationError) -> Invalid:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    key = ".".join(map(str, first["loc"][:1])) or "settings"
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return Invalid(
            f"There is no setting {key[:60]!a}; there are: {known}.",
            f"没有设置项 {key[:60]!a}；可用的有：{known}。",
            field=key,
        )
    reason = first["msg"].removeprefix("Value error, ")
    return Invalid(f"Setting {key}: {reason}.", f"设置项 {key} 无效：{reason}。", field=key)

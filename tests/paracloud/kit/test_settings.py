"""Settings are read whole or not at all, and no error shows a secret."""

from datetime import timedelta
from pathlib import Path

import pytest

from paracloud.kit.errors import Forbidden, Invalid
from paracloud.kit.settings import Settings, read_settings

URL = "postgresql://grid:hunter22@db.example/paracloud"


def config(folder: Path, text: str, mode: int = 0o600) -> dict[str, str]:
    path = folder / "paracloud.toml"
    path.write_text(text)
    path.chmod(mode)
    return {"PARACLOUD_CONFIG": str(path)}


def test_without_any_word_everything_lies_in_one_folder_and_the_database_is_embedded() -> None:
    found = read_settings({})
    assert found.database_url is None
    for path in (found.blob_folder, found.authority_socket, found.authority_key_file, found.secret_key_file):
        assert path.parent == found.state_folder
    assert found.database_folder.is_relative_to(found.state_folder)


def test_the_environment_wins_over_the_file_and_database_url_over_both(tmp_path: Path) -> None:
    text = f'state_folder = "{tmp_path}/state"\napi_port = 9000\nlog_level = "debug"\ndatabase_url = "postgres://a@b/c"'
    environment = config(tmp_path, text) | {"PARACLOUD_API_PORT": "9001", "DATABASE_URL": URL, "HOME": "/nowhere"}
    found = read_settings(environment)
    assert (found.api_port, found.log_level, found.state_folder) == (9001, "debug", tmp_path / "state")
    assert found.blob_folder == tmp_path / "state" / "blobs"
    assert found.database_url is not None
    assert found.database_url.reveal() == URL


def test_no_picture_of_the_settings_shows_the_password() -> None:
    found = read_settings({"DATABASE_URL": URL})
    assert "hunter22" not in f"{found!r} {found} {found.model_dump()}"


def test_who_owns_the_tables_may_be_another_than_who_runs_the_application() -> None:
    owner = URL.replace("grid", "owner")
    found = read_settings({"DATABASE_URL": URL, "DATABASE_OWNER_URL": owner})
    assert found.database_owner_url is not None
    assert found.database_owner_url.reveal() == owner
    assert "hunter22" not in f"{found!r}"


def test_a_holder_may_miss_two_renewals_before_it_has_to_stop() -> None:
    found = read_settings({"PARACLOUD_LEASE_SECONDS": "12", "PARACLOUD_LEASE_MARGIN_SECONDS": "3"})
    assert found.renew_every * 3 == found.lease_ttl - found.lease_margin == timedelta(seconds=9)


@pytest.mark.parametrize(
    ("environment", "field"),
    [
        ({"PARACLOUD_API_PROT": "9000"}, "api_prot"),
        ({"PARACLOUD_API_PORT": "http"}, "api_port"),
        ({"PARACLOUD_API_PORT": "70000"}, "api_port"),
        ({"PARACLOUD_LEASE_SECONDS": "nan"}, "lease_seconds"),
        ({"PARACLOUD_LEASE_SECONDS": "2"}, "settings"),
        ({"PARACLOUD_COMMANDS_PER_MINUTE": "0"}, "commands_per_minute"),
        ({"PARACLOUD_LOG_LEVEL": "loud"}, "log_level"),
        ({"DATABASE_URL": "mysql://grid:hunter22@db/x"}, "database_url"),
        ({"DATABASE_URL": URL, "DATABASE_OWNER_URL": "mysql://grid:hunter22@db/x"}, "database_owner_url"),
        ({"DATABASE_OWNER_URL": URL}, "settings"),
        ({"PARACLOUD_CONFIG": "/nowhere/paracloud.toml"}, "PARACLOUD_CONFIG"),
    ],
)
def test_what_no_setting_allows_is_refused_by_name_without_its_value(environment: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_settings(environment)
    assert refused.value.field == field
    assert refused.value.zh
    assert "hunter22" not in f"{refused.value.en}{refused.value.zh}{refused.value.__cause__!r}"


@pytest.mark.parametrize("text", ["api_port = ", "[api]\nport = 1", "state_folder = 7", "api_prot = 1"])
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid):
        read_settings(config(tmp_path, text))


@pytest.mark.parametrize("name", ["database_url", "database_owner_url"])
def test_a_file_with_the_databases_password_is_refused_while_everybody_may_read_it(tmp_path: Path, name: str) -> None:
    environment = config(tmp_path, f'{name} = "{URL}"', 0o644)
    with pytest.raises(Forbidden, match="chmod o="):
        read_settings(environment)


def test_variables_of_the_command_line_mean_nothing_to_the_server() -> None:
    assert read_settings({"PARACLOUD_TOKEN": "pc_x", "PARACLOUD_URL": "http://x"}) == read_settings({})


def test_settings_do_not_change_after_they_were_read() -> None:
    found = read_settings({})
    with pytest.raises(ValueError, match="frozen"):
        found.api_port = 1  # type: ignore[misc]  # the point of the test
    assert isinstance(found, Settings)

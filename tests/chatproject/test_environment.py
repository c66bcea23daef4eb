"""Every setting is described in one place, and the operator's page shows that."""

import importlib.util
from pathlib import Path

import pytest

from chatproject import environment
from chatproject.environment import VARIABLES, Environment, Undescribed
from chatproject.exposure import Address
from chatproject.management.commands.settings_table import with_table
from tests.checks.test_documents import ROOT, variables_in_code


def test_the_operators_page_shows_the_table_as_the_code_has_it() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert page == with_table(page), "run `manage.py settings_table --write`"
    assert all(f"| `{name}` |" in page for name in VARIABLES)


def test_what_is_described_is_read_and_what_is_read_is_described() -> None:
    assert VARIABLES.keys() == variables_in_code()


def test_the_embedded_default_listens_where_the_table_says() -> None:
    known = Address.of({})
    assert (known.host, str(known.port)) == (VARIABLES["HOST"].default, VARIABLES["PORT"].default)


def test_what_is_set_counts_and_what_is_set_to_nothing_does_not() -> None:
    env = Environment({"SERVER_NAME": "Garden", "EDIT_SECONDS": ""})
    assert (env["SERVER_NAME"], env["EDIT_SECONDS"]) == ("Garden", "86400")


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("yes", True), (" ON ", True), ("0", False), ("off", False), ("maybe", False)]
)
def test_a_flag_is_on_only_if_it_says_so(text: str, expected: bool) -> None:
    assert Environment({"CHAT_LIMITS": text}).flag("CHAT_LIMITS") is expected


def test_a_list_is_written_with_commas() -> None:
    assert Environment({"ALLOWED_HOSTS": "a.example, b.example,"}).words("ALLOWED_HOSTS") == ["a.example", "b.example"]


def test_a_variable_that_nobody_described_cannot_be_read() -> None:
    with pytest.raises(Undescribed, match="CHAT_COLOUR"):
        Environment({"CHAT_COLOUR": "red"}).get("CHAT_COLOUR")


def test_the_environment_overrides_what_the_engines_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "environment").write_text("SERVER_NAME=Embedded\nS3_BUCKET=embedded\n")
    monkeypatch.setenv("CHAT_VAR", str(tmp_path))
    monkeypatch.setenv("SERVER_NAME", "Ours")
    monkeypatch.delenv("S3_BUCKET", raising=False)
    var, env = environment.read(ROOT)
    assert (var, env["SERVER_NAME"], env["S3_BUCKET"]) == (tmp_path, "Ours", "embedded")


def test_settings_can_be_read_without_any_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHAT_VAR", str(tmp_path))
    module = importlib.util.find_spec("chatproject.settings")
    assert module
    assert module.loader
    fresh = importlib.util.module_from_spec(module)
    module.loader.exec_module(fresh)
    assert (fresh.HAS_SECRET_KEY, fresh.CHAT_KEYS, fresh.DEBUG) == (False, [], False)

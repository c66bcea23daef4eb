import stat
from pathlib import Path

import pytest

from chatproject import environment
from chatproject.embedded.errors import CannotRun
from chatproject.embedded.folder import PROJECT, Folder
from chatproject.embedded.keys import NAMES, keys


def test_a_folder_can_be_had_again_after_a_run(folder):
    with folder.locked():
        pass
    with folder.locked():
        pass


def test_the_folder_is_var_in_the_project_unless_named():
    assert Folder.of({}).path == PROJECT / "var"
    assert Folder.of({"CHAT_VAR": "elsewhere"}).path == PROJECT / "elsewhere"
    assert Folder.of({"CHAT_VAR": "/else/where"}).path == Path("/else/where")


def test_other_commands_find_the_engines_while_they_run_and_not_afterwards(folder):
    file = folder.path / "environment"
    with folder.written_environment({"REDIS_URL": "unix:///there"}):
        assert environment.written_down(file) == {"REDIS_URL": "unix:///there"}
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()


@pytest.mark.parametrize("name", ["so-long-" * 20, "a,b"])
def test_sockets_move_elsewhere_when_the_path_is_no_good_for_them(folder, name):
    odd = Folder(folder.path / name)
    assert len(str(odd.sockets())) < 85
    assert odd.sockets() == odd.sockets() != folder.sockets()
    odd.sockets().rmdir()


def test_keys_are_made_once_and_for_the_owner_alone(folder):
    first = keys(folder)
    assert keys(folder) == first
    assert all(first[name] for name in NAMES)
    assert stat.S_IMODE((folder.path / "keys").stat().st_mode) == 0o600


def test_without_the_keys_the_data_is_left_alone(folder):
    folder.sub("postgres")
    with pytest.raises(CannotRun, match="no message can be read"):
        keys(folder)
    assert not (folder.path / "keys").exists()


def test_a_damaged_key_file_is_not_made_anew(folder):
    (folder.path / "keys").write_text("SECRET_KEY=left\n")
    with pytest.raises(CannotRun, match="CHAT_KEYS"):
        keys(folder)
    assert (folder.path / "keys").read_text() == "SECRET_KEY=left\n"

import os
import stat
import tempfile
from pathlib import Path

import pytest

from chatproject import environment
from chatproject.embedded.data_folder import PROJECT, DataFolder
from chatproject.embedded.errors import CannotRun
from chatproject.embedded.keys import NAMES, load_keys


def test_a_folder_can_be_locked_again_after_a_run(folder):
    with folder.locked():
        pass
    with folder.locked():
        pass


def test_the_folder_is_var_in_the_project_unless_named():
    assert DataFolder.of({}).path == PROJECT / "var"
    assert DataFolder.of({"CHAT_VAR": "elsewhere"}).path == PROJECT / "elsewhere"
    assert DataFolder.of({"CHAT_VAR": "/else/where"}).path == Path("/else/where")


def test_other_commands_find_the_engines_while_they_run_and_not_afterwards(folder):
    file = folder.path / "environment"
    with folder.written_environment({"REDIS_URL": "unix:///there"}):
        assert environment.read_variables(file) == {"REDIS_URL": "unix:///there"}
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()


@pytest.mark.parametrize("name", ["so-long-" * 20, "a,b"])
def test_sockets_move_elsewhere_when_the_path_is_unsuitable(folder, name):
    odd = DataFolder(folder.path / name)
    assert len(str(odd.sockets())) < 85
    assert odd.sockets() == odd.sockets() != folder.sockets()
    odd.sockets().rmdir()


@pytest.fixture
def elsewhere(folder, monkeypatch):
    """A folder whose path is too long for sockets, and the place in the system's folder that it gets instead."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder.path))
    odd = DataFolder(folder.path / ("so-long-" * 20))
    place = odd.sockets()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    place.rmdir()
    return odd, place


@pytest.mark.parametrize("kind", ["open", "link", "file", "dangling"])
def test_sockets_do_not_move_to_where_others_could_answer(elsewhere, folder, kind):
    odd, place = elsewhere
    theirs = folder.subfolder("theirs")
    if kind == "open":
        place.mkdir()
        place.chmod(0o777)
    elif kind == "file":
        place.touch(0o600)
    else:
        place.symlink_to(theirs if kind == "link" else theirs / "nowhere")
    with pytest.raises(CannotRun, match="belongs to you alone"):
        odd.sockets()
    assert list(theirs.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives things away")
def test_what_belongs_to_someone_else_is_not_used(elsewhere, folder):
    odd, place = elsewhere
    place.mkdir(0o700)
    load_keys(folder)
    for path in (place, folder.path / "keys", folder.path):
        os.chown(path, 12345, 12345)
    with pytest.raises(CannotRun, match="belongs to you alone"):
        odd.sockets()
    with pytest.raises(CannotRun, match="keys belongs to someone else"):
        load_keys(folder)
    with pytest.raises(CannotRun, match="make this one yours"), folder.locked():
        pass


def test_what_others_could_read_or_write_is_closed_to_them(folder):
    load_keys(folder)
    (folder.path / "keys").chmod(0o644)
    folder.path.chmod(0o777)
    with folder.locked():
        load_keys(folder)
    assert stat.S_IMODE((folder.path / "keys").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o755


def test_keys_are_made_once_and_for_the_owner_alone(folder):
    first = load_keys(folder)
    assert load_keys(folder) == first
    assert all(first[name] for name in NAMES)
    assert stat.S_IMODE((folder.path / "keys").stat().st_mode) == 0o600


def test_without_the_keys_the_data_is_left_alone(folder):
    folder.subfolder("postgres")
    with pytest.raises(CannotRun, match="no message can be read"):
        load_keys(folder)
    assert not (folder.path / "keys").exists()


def test_a_damaged_key_file_is_not_replaced(folder):
    (folder.path / "keys").write_text("SECRET_KEY=left\n")
    with pytest.raises(CannotRun, match="CHAT_KEYS"):
        load_keys(folder)
    assert (folder.path / "keys").read_text() == "SECRET_KEY=left\n"

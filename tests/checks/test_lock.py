"""What production installs: every package in the version that was tested, each file known by its hash."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()


def pins(name: str) -> dict[str, Requirement]:
    """The packages that a file of requirements pins, without what it includes."""
    lines = (line.partition(" #")[0].strip() for line in (ROOT / name).read_text().splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    return {canonicalize_name(each.name): each for each in found}


def entries() -> list[tuple[Requirement, list[str]]]:
    """The packages of the lock file, each with its hashes."""
    joined = re.sub(r"\\\n\s*", " ", LOCK)
    lines = [line.partition(" --hash=") for line in joined.splitlines() if line and not line.startswith("#")]
    return [(Requirement(head), f"--hash={rest}".split()) for head, _, rest in lines]


def test_every_package_is_locked_in_the_version_that_is_pinned() -> None:
    locked = {canonicalize_name(each.name): str(each.specifier) for each, _ in entries()}
    wanted = {name: str(each.specifier) for name, each in pins("requirements.txt").items()}
    assert {name: locked.get(name) for name in wanted} == wanted
    tested = {name: str(each.specifier) for name, each in pins("requirements-dev.txt").items() if name in locked}
    assert {name: locked[name] for name in tested} == tested


def test_every_entry_names_one_version_and_the_hashes_of_its_files() -> None:
    for each, hashes in entries():
        assert re.fullmatch(r"==[^,*]+", str(each.specifier)), each
        assert hashes, each
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), each


def test_the_lock_file_names_no_index_and_no_place() -> None:
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)|^-[ef] | @ ", LOCK, re.MULTILINE)


def test_what_is_tested_is_what_production_gets() -> None:
    here = [each for each, _ in entries() if each.marker is None or each.marker.evaluate()]
    assert {each.name: f"=={version(each.name)}" for each in here} == {each.name: str(each.specifier) for each in here}


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    words = [sys.executable, str(ROOT / ".ci" / "sbom")]
    found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return found


def test_the_bill_of_materials_has_everything_that_is_locked(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    listed = [(each["name"], f"=={each['version']}", len(each["externalReferences"])) for each in bill["components"]]
    assert listed == [(each.name, str(each.specifier), len(hashes)) for each, hashes in entries()]
    assert len({each["bom-ref"] for each in bill["components"]}) == len(listed)


def test_the_bill_of_materials_names_the_licence_of_what_is_installed(bill: dict[str, Any]) -> None:
    installed = {each.name for each, _ in entries() if each.marker is None}
    assert [each["name"] for each in bill["components"] if each["name"] in installed and not each["licenses"]] == []

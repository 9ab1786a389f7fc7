# SPDX-License-Identifier: GPL-3.0-or-later
"""What system tests share. LODGE_BUILD names the build folder (default: build)."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))

import gate as gate_lib  # noqa: E402
import origin as origin_lib  # noqa: E402


def build_folder():
    return Path(os.environ.get("LODGE_BUILD", ROOT / "build")).resolve()


def is_sanitized():
    options = build_folder() / "meson-info" / "intro-buildoptions.json"
    return options.exists() and any(
        option["name"] == "b_sanitize" and option["value"] != "none"
        for option in json.loads(options.read_text()))


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "once: long, and tells nothing more with sanitizers: left to the ordinary build")


def pytest_collection_modifyitems(config, items):
    if is_sanitized():
        once = [item for item in items if item.get_closest_marker("once")]
        config.hook.pytest_deselected(items=once)
        items[:] = [item for item in items if item not in once]


@pytest.fixture(scope="session")
def build():
    return build_folder()


@pytest.fixture(scope="session")
def lodge(build):
    """The program under test."""
    program = build / "lodge"
    assert program.exists(), f"{program} is missing: run make"
    return program


def find_shared():
    """The folder of shared test data beside the checkout (or a worktree's main checkout), or None."""
    if "LODGE_SHARED" in os.environ:
        return Path(os.environ["LODGE_SHARED"])
    places = [ROOT]
    if shutil.which("git"):
        common = subprocess.run(["git", "rev-parse", "--path-format=absolute", "--git-common-dir"],
                                cwd=ROOT, capture_output=True, text=True).stdout.strip()
        places += [Path(common).parent] if common else []
    for place in places:
        if (place.parent / "shared" / "data").is_dir():
            return place.parent / "shared"
    return None


@pytest.fixture(scope="session")
def shared():
    """The folder of shared data; a test that needs it is left out, and says so, where it is not."""
    found = find_shared()
    if found is None:
        pytest.skip("left out: needs the shared data beside the checkout")
    return found


@pytest.fixture(scope="session")
def origin():
    """A plain web server on 127.0.0.1."""
    with origin_lib.Origin() as server:
        yield server


@pytest.fixture(scope="session")
def tls_origin(tmp_path_factory):
    """The same behind TLS, with a certificate of its own for volcano.example."""
    with origin_lib.Origin(tls=tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture
def gates(lodge, tmp_path):
    """Starts gates: gates(catalog={...}, policy=..., ...) gives a running gate.Gate; all are stopped
    at the end of the test."""
    started = []

    def start(**options):
        folder = tmp_path / f"gate-{len(started)}"
        folder.mkdir()
        one = gate_lib.Gate(lodge, folder, **options)
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        one.stop()

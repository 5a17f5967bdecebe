import os
import sys
from pathlib import Path

import pytest

from launcher import testing

TESTS = """
import pytest

def test_here():
    pass

@pytest.mark.browser
@pytest.mark.parametrize("page", [1, 2, 3])
def test_in_the_browser(page):
    pass
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    """A little project with one test and three for the browser."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\nmarkers = ["browser"]\naddopts = ["-p", "xdist"]\n'
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_all.py").write_text(TESTS)
    monkeypatch.setattr(testing, "ROOT", tmp_path)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def surroundings(project: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "PORTAL_VAR": str(project),
        "PYTEST_XDIST_AUTO_NUM_WORKERS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def test_without_a_browser_the_last_line_says_what_did_not_run(project, monkeypatch, capfd):
    monkeypatch.setattr(testing, "BROWSERS", ("no-such-browser",))

    assert testing.test(surroundings(project)) == 0
    assert capfd.readouterr().out.splitlines()[-2:] == [
        "1 tests ran, 0 of them in the browser. All passed.",
        "NOT RUN: 3 browser tests",
    ]

    monkeypatch.setenv("CI", "true")
    assert testing.test(surroundings(project)) == 1


def test_with_a_browser_all_run(project, monkeypatch, capfd):
    monkeypatch.setattr(testing, "BROWSERS", (Path(sys.executable).name,))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)

    assert testing.test(surroundings(project)) == 0
    assert capfd.readouterr().out.splitlines()[-1] == (
        "4 tests ran, 3 of them in the browser. All passed."
    )


def test_a_failure_fails(project, monkeypatch, capfd):
    monkeypatch.setattr(testing, "BROWSERS", ("no-such-browser",))
    (project / "tests" / "test_red.py").write_text("def test_red():\n    assert False\n")

    assert testing.test(surroundings(project)) == 1
    assert "There are failures." in capfd.readouterr().out

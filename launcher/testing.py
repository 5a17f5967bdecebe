"""`make test`: everything, with the browser tests where there is a Chromium."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

from launcher import ROOT, catalogues

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NOTHING_COLLECTED = 5


def chromium() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def _pytest(
    *arguments: str, environment: Mapping[str, str], capture: bool = False
) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, text=True, capture_output=capture)


def _ran(report: Path) -> int:
    """Tests that ran; the skipped did not."""
    if not report.exists():
        return 0
    root = ElementTree.parse(report).getroot()  # noqa: S314 (pytest wrote it)
    suites = root.iter("testsuite")
    return sum(int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) for suite in suites)


def _browser_tests(environment: Mapping[str, str]) -> int:
    listed = _pytest(
        *("tests", "-m", "browser", "--collect-only", "-q", "-p", "no:randomly"),
        environment=environment,
        capture=True,
    )
    return len(re.findall(r"^tests/\S+::", listed.stdout, re.MULTILINE))


def test(environment: Mapping[str, str]) -> int:
    catalogues.compile_all(ROOT)
    var = Path(environment["PORTAL_VAR"])
    reports = [var / "tests.xml", var / "browser.xml"]
    for report in reports:
        report.unlink(missing_ok=True)
    codes = [
        _pytest(
            *("tests", "-m", "not browser", "-n", "auto", "--maxprocesses", "4"),
            f"--junitxml={reports[0]}",
            environment=environment,
        ).returncode
    ]
    browser = chromium()
    if browser:
        codes.append(
            _pytest(
                *("tests", "-m", "browser", "-n", "2", "--dist", "loadfile"),
                f"--junitxml={reports[1]}",
                environment={**environment, "CHROMIUM": browser},
            ).returncode
        )
    failed = any(code not in (0, NOTHING_COLLECTED) for code in codes)
    inside, outside = map(_ran, reports)
    verdict = "There are failures." if failed else "All passed."
    print(f"{inside + outside} tests ran, {outside} of them in the browser. {verdict}")
    if not browser and (missing := _browser_tests(environment)):
        print(f"NOT RUN: {missing} browser tests")
        return 1 if failed or os.environ.get("CI") else 0
    return 1 if failed else 0

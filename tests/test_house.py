"""The floors and rooms of the house hold, and each way to break them is seen."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

LEFT_OUT = (".git", ".venv", "var", "node_modules", "__pycache__", "tests", "static", "docs")


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The house again, to plant things in."""
    house = tmp_path_factory.mktemp("house") / "copy"
    shutil.copytree(settings.BASE_DIR, house, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return house


def broken(house: Path) -> list[str]:
    """The names of the contracts that do not hold."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"],
        cwd=house,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    names = re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE)
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    assert (done.returncode == 0) == (not names)
    return names


FLOORS = "Floors: an app imports only lower ones; those on the ground do not know each other"
ROOMS = "Rooms of registrations"


def test_the_house_holds(copy):
    assert broken(copy) == []


@pytest.mark.parametrize(
    ("room", "planted", "contract"),
    [
        pytest.param(
            "events/schedule.py", "from registrations import models", FLOORS, id="upwards"
        ),
        pytest.param(
            "events/schedule.py",
            "def later():\n    from registrations import models\n    return models",
            FLOORS,
            id="upwards, hidden in a function",
        ),
        pytest.param(
            "registrations/decisions.py",
            "from registrations import intake",
            ROOMS,
            id="a verb to another verb",
        ),
        pytest.param(
            "registrations/decisions.py",
            "import celery",
            "Celery: tasks and the door-bell only, no verb",
            id="a verb to Celery",
        ),
        pytest.param(
            "registrations/views.py",
            "from notifications import outbox",
            "Letters: only mails rooms post them",
            id="a view posts a letter",
        ),
        pytest.param("registrations/helpers.py", "HELP = True", ROOMS, id="an unlisted room"),
        pytest.param(
            "events/schedule.py",
            "import gcm_portal.env",
            "Roof: nobody imports it",
            id="to the roof",
        ),
        pytest.param(
            "gcm_portal/urls.py",
            "from events import models",
            "Roof: it names apps in strings",
            id="from the roof",
        ),
        pytest.param(
            "audit/trail.py",
            "from notifications import bell",
            FLOORS,
            id="a neighbour on the ground floor",
        ),
    ],
)
def test_what_breaks_the_house_is_seen(copy, room, planted, contract):
    path = copy / room
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{planted}\n")
    try:
        assert broken(copy) == [contract]
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)

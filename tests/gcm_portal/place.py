"""The compose file and the example environment, read as Docker Compose reads them."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

import yaml
from django.conf import settings

HOUSE = settings.BASE_DIR
WANTED = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


class Missing(Exception):
    """Docker Compose would not start."""


def example() -> dict[str, str]:
    text = (HOUSE / "deploy" / "example.env").read_text()
    lines = shlex.split(text, comments=True)
    return dict(line.split("=", 1) for line in lines)


def filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match) -> str:
        name, how, rest = found.groups()
        if not name:
            return "$"
        if not values.get(name) and how == "?":
            raise Missing(name)
        return values.get(name) or (rest if how == "-" else "")

    return WANTED.sub(value, text)


def compose() -> dict[str, Any]:
    return yaml.safe_load((HOUSE / "docker-compose.yml").read_text())


def environment(service: str, values: Mapping[str, str]) -> dict[str, str]:
    wanted = compose()["services"][service]["environment"]
    return {name: filled(text, values) for name, text in wanted.items()}

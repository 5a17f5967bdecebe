"""Typed readers of the environment. What is wrong or missing stops the start, with a sentence."""

import json
import os
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

TRUE = {"1", "true", "yes", "on"}
FALSE = {"", "0", "false", "no", "off"}
MAIL_SCHEMES = {"smtp", "smtp+tls", "smtps"}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. The portal does not start without it.")
    return default


def flag(name: str) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is “{value}”. Write 1 for yes or 0 for no.")
    return value in TRUE


def number(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name} is “{value}”. Write a whole number, 0 or more.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A list, separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def _parts(address: str) -> SplitResult | None:
    """Nothing where the host is missing, or host or port cannot be."""
    try:
        parts = urlsplit(address)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def web_address(name: str, default: str | None = None) -> str:
    """An http or https address without a path, as in https://portal.example.org."""
    value = text(name, default)
    parts = _parts(value.rstrip("/"))
    if not parts or parts.scheme not in {"http", "https"} or parts[2:] != ("", "", ""):
        raise ImproperlyConfigured(f"{name} is “{value}”. Write it like https://portal.example.org")
    return parts.geturl()


def is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in LOOPBACK


def is_loopback_name(host: str) -> bool:
    """Of a host as ALLOWED_HOSTS has it."""
    return host.lower().strip("[]") in LOOPBACK


def servers(var: Path) -> tuple[str, str]:
    """The database and the broker: from the environment, else those that the launcher runs."""
    database, broker = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if database and broker:
        return database, broker
    if database or broker:
        missing = "REDIS_URL" if database else "DATABASE_URL"
        raise ImproperlyConfigured(f"{missing} is not set. DATABASE_URL and REDIS_URL go together.")
    try:
        embedded = json.loads((var / "servers.json").read_text())
        return embedded["database_url"], embedded["redis_url"]
    except (OSError, ValueError, KeyError):
        raise ImproperlyConfigured(
            "There is no database. Set DATABASE_URL and REDIS_URL, or let “make run” or "
            "“make test” start their own servers."
        ) from None


def mail_address(name: str) -> str:
    """An address alone, without a name before it; may be empty."""
    value = os.environ.get(name, "").strip()
    try:
        if value:
            validate_email(value)
    except ValidationError:
        raise ImproperlyConfigured(
            f"{name} is “{value}”. Write it like bounces@portal.example.org"
        ) from None
    return value


def mail_server(name: str) -> str:
    """smtp://, smtp+tls:// (STARTTLS) or smtps://, with user, password and port; may be empty."""
    value = os.environ.get(name, "").strip()
    if value:
        parts = _parts(value)
        if not parts or parts.scheme not in MAIL_SCHEMES:
            raise ImproperlyConfigured(
                f"{name} is not a mail server. Write it like smtp://user:password@host:25"
            )
    return value

"""What would be wrong in a real portal, though it starts: for manage.py check --deploy.

Django's own checks tell of DEBUG, of a weak SECRET_KEY and of settings around TLS."""

from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.http.request import validate_host

from gcm_portal import env

# RFC 2606 and 6761 keep these for examples and tests: no letter arrives there.
NOBODYS = ("example", "example.com", "example.net", "example.org", "invalid", "localhost", "test")


@register(Tags.security, deploy=True)
def real_portal(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [*_demo(), *_address(), *_proxy(), *_post(), *_files()]


def _demo() -> Iterator[CheckMessage]:
    if settings.DEMO:
        yield Warning(
            "DEMO is set: codes and letters can be read by everybody.",
            hint="Leave DEMO out of the environment.",
            id="portal.W001",
        )


def _address() -> Iterator[CheckMessage]:
    host = urlsplit(settings.BASE_URL).hostname or ""
    if not settings.IS_SECURE and not env.is_loopback(settings.BASE_URL):
        yield Warning(
            f"BASE_URL is {settings.BASE_URL}: others on the way can read codes and cookies.",
            hint="Put TLS in front, and write https:// in BASE_URL.",
            id="portal.W002",
        )
    if _is_nobodys(host) or env.is_loopback(settings.BASE_URL):
        yield Warning(
            f"BASE_URL is {settings.BASE_URL}, which nobody finds from elsewhere.",
            hint="Write the address at which people find the portal.",
            id="portal.W003",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            "ALLOWED_HOSTS is *: a visitor can make pages name any host.",
            hint=f"Write the host of BASE_URL: {host}",
            id="portal.W004",
        )
    elif not validate_host(host, settings.ALLOWED_HOSTS):
        yield Warning(
            f"ALLOWED_HOSTS lacks {host}, the host of BASE_URL: everybody gets 400.",
            hint=f"Add it: ALLOWED_HOSTS={','.join([*settings.ALLOWED_HOSTS, host])}",
            id="portal.W005",
        )


def _proxy() -> Iterator[CheckMessage]:
    if settings.IS_SECURE and not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        yield Warning(
            "TRUSTED_PROXIES is 0, but a proxy must stand in front for https: all visitors look "
            "like one, and shut each other out at the door.",
            hint="Write how many proxies add to X-Forwarded-For, as a rule TRUSTED_PROXIES=1.",
            id="portal.W006",
        )


def _post() -> Iterator[CheckMessage]:
    if not settings.EMAIL_URL:
        yield Warning(
            "EMAIL_URL is empty: no letter leaves, so nobody can sign in.",
            hint="Write your mail server: EMAIL_URL=smtp+tls://user:password@mail.example.org:587",
            id="portal.W007",
        )
    for name in ("EMAIL_FROM", "CONTACT_EMAIL"):
        value = getattr(settings, name)
        if _is_nobodys(parseaddr(value)[1].partition("@")[2]):
            yield Warning(
                f"{name} is “{value}”: no answer can arrive there.",
                hint="Write an address at which somebody reads.",
                id="portal.W008",
            )


def _files() -> Iterator[CheckMessage]:
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        yield Warning(
            "The files of the look are not collected: every page would be an error.",
            hint="Run python manage.py collectstatic --noinput",
            id="portal.W009",
        )
    for folder in settings.LOCALE_PATHS:
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
            if not source.with_suffix(".mo").is_file():
                yield Warning(
                    f"{source.relative_to(settings.BASE_DIR)} is not compiled: its pages would be "
                    "in English.",
                    hint="Run python -m launcher.catalogues compile",
                    id="portal.W010",
                )


def _is_nobodys(host: str) -> bool:
    """Whether the host is empty, of examples, or of this machine alone."""
    host = host.lower()
    return not host or any(host == name or host.endswith(f".{name}") for name in NOBODYS)

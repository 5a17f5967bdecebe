"""The time zones that can be named."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

KNOWN = frozenset(zoneinfo.available_timezones())


def check_zone(name: str) -> None:
    """For form and model fields: refuse what is no IANA name."""
    if name not in KNOWN:
        raise ValidationError(_("%(name)s is not a time zone we know."), params={"name": name})

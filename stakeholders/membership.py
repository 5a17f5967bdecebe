"""How people come to speak for an organisation."""

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from stakeholders import matching, refusals
from stakeholders.models import Membership, Organisation


@transaction.atomic
def found(organisation: Organisation, *, by: User, now: datetime) -> Organisation:
    """Enter an organisation that is new here; whoever enters it becomes its focal point.

    Entered twice by the same person, it is the same organisation. Refuses with KnownHere a name
    that another organisation of the same country bears.
    """
    twin = _twin(organisation)
    if twin and Organisation.objects.spoken_for_by(by).contains(twin):
        return twin
    if twin:
        raise refusals.KnownHere(twin, settings.CONTACT_EMAIL)
    organisation.save(force_insert=True)
    Membership.objects.create(user=by, organisation=organisation)
    trail.record(
        by,
        gettext_noop("organisation entered"),
        organisation,
        at=now,
        scope=None,
        after={"name": organisation.name, "country": str(organisation.country)},
    )
    return organisation


@transaction.atomic
def correct(organisation: Organisation, *, by: User, now: datetime, seen: str = "") -> None:
    """Keep corrected facts about an organisation; `seen` is the mark of what the form showed.

    Refuses with KnownHere as `found` does, and with ChangedMeanwhile.
    """
    held = Organisation.objects.select_for_update().get(pk=organisation.pk)
    before = {field: str(getattr(held, field)) for field in Organisation.FACTS}
    after = {field: str(getattr(organisation, field)) for field in Organisation.FACTS}
    if before == after:
        return
    if seen and seen != held.mark:
        raise refusals.ChangedMeanwhile(held)
    twin = _twin(organisation)
    if twin:
        raise refusals.KnownHere(twin, settings.CONTACT_EMAIL)
    organisation.save()
    trail.record(
        by,
        gettext_noop("organisation corrected"),
        organisation,
        at=now,
        scope=None,
        before=before,
        after=after,
    )


def _twin(organisation: Organisation) -> Organisation | None:
    """Another one of this name and country; who enters the same name at once waits here."""
    key = matching.key(organisation.name)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{key}|{organisation.country}"],
        )
    namesakes = Organisation.objects.filter(matching_key=key, country=organisation.country)
    return namesakes.exclude(pk=organisation.pk).first()

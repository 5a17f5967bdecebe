import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from audit import trail
from audit.models import Entry

pytestmark = pytest.mark.django_db
NOON = datetime(2018, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def clara():
    return get_user_model().objects.create(email="clara@secretariat.example")


@pytest.fixture
def bo():
    return get_user_model().objects.create(email="bo@ports.example")


def test_an_act_is_remembered_with_all_that_was_said(clara, bo):
    scope = uuid.uuid4()

    entry = trail.record(
        clara,
        "moved",
        bo,
        at=NOON,
        scope=scope,
        before={"closes": NOON, "day": date(2018, 2, 7)},
        after={"closes": NOON + timedelta(days=1), "id": scope},
        reason="The room was not free.",
    )

    entry.refresh_from_db()
    assert (entry.actor, entry.verb, entry.at, entry.scope) == (clara, "moved", NOON, scope)
    assert (entry.subject_type, entry.subject_id) == ("accounts.user", str(bo.pk))
    assert entry.before == {"closes": "2018-02-01T12:00:00Z", "day": "2018-02-07"}
    assert entry.after == {"closes": "2018-02-02T12:00:00Z", "id": str(scope)}
    assert entry.reason == "The room was not free."


def test_several_acts_are_remembered_in_one_statement_and_in_their_order(
    clara, bo, django_assert_num_queries
):
    acts = [
        trail.act(clara, verb, bo, at=NOON, scope=None, reason=verb.title())
        for verb in ("asked", "approved", "withdrawn")
    ]
    assert not Entry.objects.exists()

    with django_assert_num_queries(1):
        trail.record_many(acts)

    kept = Entry.objects.order_by("id").values_list("verb", "reason", "actor", "subject_id", "at")
    assert list(kept) == [
        (verb, verb.title(), clara.pk, str(bo.pk), NOON)
        for verb in ("asked", "approved", "withdrawn")
    ]


def test_nobody_is_the_clock(bo):
    entry = trail.record(None, "lapsed", bo, at=NOON, scope=None)

    assert (entry.actor, entry.before, entry.after, entry.reason) == (None, None, None, "")


def test_the_history_of_a_thing_and_of_an_event_is_found(clara, bo):
    hearing, other = uuid.uuid4(), uuid.uuid4()
    of_bo = trail.record(clara, "approved", bo, at=NOON, scope=hearing)
    of_clara = trail.record(clara, "approved", clara, at=NOON, scope=hearing)
    trail.record(clara, "approved", clara, at=NOON, scope=other)

    assert list(Entry.objects.about(bo)) == [of_bo]
    assert list(Entry.objects.in_scope(hearing).order_by("id")) == [of_bo, of_clara]
    assert Entry.objects.in_scope(hearing, other).count() == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.delete(),
        lambda entry: entry.save(),
        lambda entry: Entry.objects.update(reason="Never happened."),
        lambda entry: Entry.objects.all().delete(),
    ],
)
def test_an_entry_can_not_be_changed_or_deleted(clara, bo, change):
    entry = trail.record(clara, "approved", bo, at=NOON, scope=None, reason="Agreed.")

    with pytest.raises(IntegrityError, match="can not be changed or deleted"), transaction.atomic():
        change(entry)

    assert list(Entry.objects.values_list("verb", "reason")) == [("approved", "Agreed.")]


def test_plain_sql_can_not_change_an_entry_either(clara, bo):
    trail.record(clara, "approved", bo, at=NOON, scope=None)

    for statement in ("update audit_entry set verb = 'declined'", "delete from audit_entry"):
        with (
            pytest.raises(IntegrityError, match="can not be changed or deleted"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    assert Entry.objects.get().verb == "approved"


def test_who_acted_can_not_be_deleted_with_their_history(clara, bo):
    trail.record(clara, "approved", bo, at=NOON, scope=None)

    with pytest.raises(ProtectedError):
        clara.delete()

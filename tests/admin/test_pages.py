"""Every page of the organisers' side keeps the content policy, and lists stay quick."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events.models import Role
from notifications import outbox
from notifications.models import Kind, Letter
from registrations.models import Delegate, Registration
from stakeholders.models import ImportRun, Organisation, Representative

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE
)
SANDBOXED = "sandbox"
# Session, person, roles, events, tracks, who looks after delegations, tags, saved views, how many,
# counts of the filters, organisations, ids of the page, people.
QUERIES = 13


@pytest.fixture
def things(
    sent, sent_by_bo, deadline, clara, invitation, exemption, correction, import_run, message, now
):
    return [
        sent.event.process,
        sent.event,
        deadline,
        sent,
        sent.delegates.first(),
        sent.delegates.first().representative,
        sent.organisation,
        sent.organisation.memberships.get(),
        ImportRun.objects.create(by=clara, at=now, file_name="list.csv"),
        Letter.objects.filter(scope=sent.event_id).first(),
        Entry.objects.filter(scope=sent.event_id).first(),
        clara,
        Role.objects.first(),
        invitation,
        exemption,
        correction,
        import_run,
        message,
    ]


def addresses(things):
    yield reverse("admin:index")
    for app in sorted({thing._meta.app_label for thing in things}):
        yield reverse("admin:app_list", args=[app])
    for thing in things:
        model_admin = admin.site.get_model_admin(type(thing))
        yield reverse(f"admin:{model_admin.page_name('changelist')}")
        yield reverse(f"admin:{model_admin.page_name('add')}")
        for page in ("change", "history", "delete"):
            yield reverse(f"admin:{model_admin.page_name(page)}", args=[thing.pk])
        for word, _view in model_admin.pages():
            yield model_admin.page_url(word, thing)


def test_every_page_keeps_the_content_policy(root_in, things, hearing):
    urls = [*addresses(things), reverse("admin:events_deadline_set", args=[hearing.pk])]
    assert {type(thing) for thing in things} == set(admin.site._registry)
    seen = 0
    for url in urls:
        response = root_in.get(url)
        policy = response.headers["Content-Security-Policy"]
        if policy.startswith(SANDBOXED):
            continue
        assert "default-src 'self'" in policy, url
        assert "unsafe" not in policy, url
        assert response.status_code in (200, 403), (url, response.status_code)
        seen += response.status_code == 200
        assert INLINE.findall(response.content.decode()) == [], url
    assert seen > 40


def test_pages_after_a_post_keep_it_too(root_in, sent, hearing):
    delegates = reverse("admin:registrations_delegate_changelist")
    chosen = {"_selected_action": [str(sent.delegates.first().pk)]}
    for url, typed in [
        (delegates, {"action": "decline", **chosen}),
        (delegates, {"action": "decline", "confirm": "yes", **chosen}),
        (reverse("admin:events_event_cancel", args=[hearing.pk]), {"confirm": "yes"}),
        (reverse("admin:events_deadline_set", args=[hearing.pk]), {"confirm": "yes"}),
        (reverse("admin:events_role_add"), {"email": "x"}),
    ]:
        response = root_in.post(url, typed)
        assert response.status_code == 200, url
        assert INLINE.findall(response.content.decode()) == [], url
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.fixture
def secret(now) -> Letter:
    return outbox.post(
        key="code",
        to="amina@diaspora.example",
        language="en",
        subject="Your code",
        text="ABC123",
        html="<p>ABC123</p>",
        kind=Kind.SECRET,
        now=now,
    )


def test_a_letter_is_shown_in_a_box(clara_in, sent):
    letter = Letter.objects.filter(scope=sent.event_id).first()
    url = reverse("admin:notifications_letter_page", args=[letter.pk])

    page = clara_in.get(reverse("admin:notifications_letter_change", args=[letter.pk]))
    box = clara_in.get(url)

    assert f'src="{url}"' in page.content.decode()
    assert "<iframe" in page.content.decode()
    assert sent.reference in page.content.decode()
    assert box.content.decode() == letter.html
    policy = box.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "frame-ancestors 'self'" in policy
    assert box.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_codes_are_not_shown_outside_the_demo(root_in, clara_in, secret, settings):
    change = reverse("admin:notifications_letter_change", args=[secret.pk])
    page = reverse("admin:notifications_letter_page", args=[secret.pk])
    settings.DEMO = True
    assert "ABC123" in root_in.get(change).content.decode()

    settings.DEMO = False

    assert "ABC123" not in root_in.get(change).content.decode()
    assert root_in.get(page).status_code == 404
    assert clara_in.get(change).status_code == 302


def many(hearing, now, number):
    """So many sent delegations of one person each."""
    for _count in range(number):
        n = Organisation.objects.count()
        organisation = Organisation.objects.create(
            name=f"Group {n}", country="FR", category="youth"
        )
        registration = Registration.objects.create(
            event=hearing,
            organisation=organisation,
            reference=f"GCM-{n:04}-TEST",
            begun_at=now,
            sent_at=now,
        )
        person = Representative.objects.create(organisation=organisation, given_names=f"Person {n}")
        Delegate.objects.create(
            registration=registration, representative=person, state=Delegate.State.SUBMITTED
        )


def test_the_attendee_list_asks_as_much_for_sixty_people_as_for_thirty(
    clara_in, hearing, now, django_assert_num_queries
):
    url = reverse("admin:registrations_delegate_changelist")
    many(hearing, now, 30)
    clara_in.get(url)
    with django_assert_num_queries(QUERIES):
        response = clara_in.get(url)
    assert len(response.context["cl"].result_list) == 30

    many(hearing, now, 30)
    with django_assert_num_queries(QUERIES):
        response = clara_in.get(url)
    assert len(response.context["cl"].result_list) == 50
    assert response.context["cl"].result_count == 60


@pytest.mark.parametrize("app", ["delegate", "registration"])
def test_no_other_list_asks_once_per_row(clara_in, hearing, now, app, connection_queries):
    url = reverse(f"admin:registrations_{app}_changelist")
    many(hearing, now, 5)
    few = connection_queries(lambda: clara_in.get(url))
    many(hearing, now, 5)
    assert connection_queries(lambda: clara_in.get(url)) == few


def test_organisations_are_corrected_by_the_verb(clara_in, sent, clara):
    url = reverse("admin:stakeholders_organisation_correct", args=[sent.organisation_id])
    facts = {
        "name": "Diaspora Network International",
        "acronym": "DNI",
        "country": "ML",
        "category": "diaspora",
        "confirm": "yes",
    }

    assert clara_in.post(url, facts).status_code == 302

    sent.organisation.refresh_from_db()
    assert sent.organisation.matching_key == "diaspora network international"
    entry = Entry.objects.about(sent.organisation).get(verb="organisation corrected")
    assert (entry.actor, entry.after["acronym"]) == (clara, "DNI")


def test_an_organisation_cannot_take_anothers_name(clara_in, sent, sent_by_bo):
    url = reverse("admin:stakeholders_organisation_correct", args=[sent.organisation_id])

    response = clara_in.post(
        url,
        {"name": "Port Workers", "country": "PH", "category": "diaspora", "confirm": "yes"},
    )

    assert "is known here already" in response.context["form"].errors["name"][0]
    sent.organisation.refresh_from_db()
    assert sent.organisation.name == "Diaspora Network"


def test_people_have_no_password_field(root_in, amina: User):
    page = root_in.get(reverse("admin:accounts_user_change", args=[amina.pk])).content.decode()
    assert "password" not in page.lower()

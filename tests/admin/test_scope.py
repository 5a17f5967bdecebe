"""An organiser of one process sees nothing of another, by no way in."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import deadlines, roles
from events.models import Event, Role
from notifications.models import Letter
from registrations.models import Delegate, Exemption, Invitation, Registration
from tests.admin.conftest import signed_in

SUPERUSERS_ONLY = {"accounts.user", "events.role"}


def name(model, page):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.fixture
def second(process, hearing) -> Event:
    """Of the same process."""
    return Event.objects.create(
        process=process,
        slug="second",
        kind=Event.Kind.HEARING,
        name_en="Second",
        starts_on=hearing.starts_on,
        ends_on=hearing.ends_on,
        zone="UTC",
    )


@pytest.fixture
def things(sent, sent_by_bo, clara_in, deadline, invitation, exemption):
    """One thing of each kind in Clara's scope, with something that could leak."""
    delegate = sent.delegates.first()
    clara_in.post(
        reverse("admin:registrations_delegate_ask", args=[delegate.pk]),
        {"question": "Who pays?", "confirm": "yes"},
    )
    return [
        sent.event.process,
        sent.event,
        deadline,
        sent,
        delegate,
        delegate.representative,
        sent.organisation,
        Letter.objects.filter(scope=sent.event_id).first(),
        Entry.objects.filter(scope=sent.event_id).first(),
        invitation,
        exemption,
    ]


def test_every_kind_is_tried(things):
    tried = {thing._meta.label_lower for thing in things} | SUPERUSERS_ONLY
    assert {model._meta.label_lower for model in admin.site._registry} == tried


def test_the_manager_sees_own_things(clara_in, things):
    for thing in things:
        listed = clara_in.get(reverse(name(type(thing), "changelist"))).context["cl"].result_list
        assert thing in listed
        for page in ("change", "history"):
            url = reverse(name(type(thing), page), args=[thing.pk])
            assert clara_in.get(url).status_code == 200, url


def test_another_manager_sees_none_of_it(dina_in, things):
    for thing in things:
        listed = dina_in.get(reverse(name(type(thing), "changelist"))).context["cl"].result_list
        assert thing not in listed
        for page in ("change", "history"):
            url = reverse(name(type(thing), page), args=[thing.pk])
            response = dina_in.get(url)
            assert (response.status_code, response.url) == (302, reverse("admin:index")), url


def own_pages(thing):
    model_admin = admin.site.get_model_admin(type(thing))
    return [model_admin.page_url(word, thing) for word, _view in model_admin.pages()]


def test_another_manager_finds_no_page_about_it(dina_in, clara_in, things, hearing):
    urls = [url for thing in things for url in own_pages(thing)]
    urls.append(reverse("admin:events_deadline_set", args=[hearing.pk]))
    assert len(urls) == 25
    for url in urls:
        assert clara_in.get(url).status_code == 200, url
        assert dina_in.get(url).status_code == 404, url
        assert dina_in.post(url, {"confirm": "yes", "reason": "x"}).status_code == 404, url


@pytest.mark.parametrize("action", ["approve", "decline", "ask", "wait_list"])
def test_foreign_ids_in_an_action_do_nothing(dina_in, things, sent, action):
    url = reverse("admin:registrations_delegate_changelist")
    ids = list(sent.delegates.values_list("pk", flat=True))
    before = list(sent.delegates.order_by("pk").values("state"))
    letters = Letter.objects.count()

    for confirm in ({}, {"confirm": "yes", "reason": "x", "question": "x"}):
        response = dina_in.post(url, {"action": action, "_selected_action": ids, **confirm})
        assert response.status_code == 302
    page = dina_in.get(url)

    assert "Diaspora Network" not in page.content.decode()
    assert list(sent.delegates.order_by("pk").values("state")) == before
    assert Letter.objects.count() == letters


def test_own_and_foreign_ids_together_do_what_is_own(dina_in, clara_in, things, sent):
    delegate = Delegate.objects.exclude(registration=sent).get()
    url = reverse("admin:registrations_delegate_changelist")

    dina_in.post(url, {"action": "approve", "_selected_action": [delegate.pk], "confirm": "yes"})
    delegate.refresh_from_db()
    assert delegate.state == "submitted"
    clara_in.post(url, {"action": "approve", "_selected_action": [delegate.pk], "confirm": "yes"})
    delegate.refresh_from_db()
    assert delegate.state == "approved"


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("registrations_delegate", "registration__event"),
        ("registrations_invitation", "event"),
        ("registrations_exemption", "event"),
        ("events_deadline", "event"),
    ],
)
def test_filters_offer_own_things_that_something_belongs_to(
    dina_in, clara_in, root_in, things, sent, hearing, second, now, model, field
):
    other = Event.objects.get(slug="other-hearing")
    empty = Event.objects.create(
        process=hearing.process,
        slug="empty",
        kind=Event.Kind.HEARING,
        name_en="Empty",
        starts_on=hearing.starts_on,
        ends_on=hearing.ends_on,
        zone="UTC",
    )
    closes_at = now + timedelta(days=9)
    deadlines.set_deadline(second, kind="registration", closes_at=closes_at, by=None, now=now)
    for number, event in enumerate((second, other)):
        Registration.objects.create(
            event=event,
            organisation=sent.organisation,
            reference=f"OTH-2222-222{number + 2}",
            begun_at=now,
        )
        Invitation.objects.create(event=event, email="a@b.example", language="en", sent_at=now)
        Exemption.objects.create(event=event, organisation=sent.organisation)
    url = reverse(f"admin:{model}_changelist")

    def offered(client) -> set:
        specs = client.get(url).context["cl"].filter_specs
        [spec] = [s for s in specs if getattr(s, "field_path", "") == field]
        return {pk for pk, _words in spec.lookup_choices}

    assert offered(root_in) == {hearing.pk, second.pk, other.pk}
    assert offered(clara_in) == {hearing.pk, second.pk}
    assert str(empty) not in clara_in.get(url).content.decode()
    for client, foreign in ((clara_in, other), (dina_in, hearing)):
        page = client.get(url, {f"{field}__id__exact": foreign.pk})
        assert str(foreign) not in page.content.decode()


def test_a_role_on_one_event_opens_that_event_only(sent, second, now):
    eva = User.objects.create_user("eva@secretariat.example")
    roles.grant(eva, on=second, by=None, now=now)
    eva_in = signed_in(eva)

    listed = eva_in.get(reverse("admin:events_event_changelist")).context["cl"].result_list
    assert list(listed) == [second]
    assert eva_in.get(reverse("admin:events_event_add")).status_code == 403
    people = eva_in.get(reverse("admin:registrations_delegate_changelist"))
    assert list(people.context["cl"].result_list) == []


def test_the_index_works_without_django_permissions(clara_in, root_in):
    def kinds(client):
        page = client.get(reverse("admin:index"))
        return {model["object_name"] for app in page.context["app_list"] for model in app["models"]}

    everything = {model._meta.object_name for model in admin.site._registry}
    assert kinds(root_in) == everything
    assert kinds(clara_in) == everything - {"User", "Role"}


@pytest.mark.parametrize("label", sorted(SUPERUSERS_ONLY))
def test_people_and_roles_are_for_superusers(clara, clara_in, label):
    page = label.replace(".", "_")
    assert clara_in.get(reverse(f"admin:{page}_changelist")).status_code == 403
    thing = clara if label == "accounts.user" else Role.objects.get(user=clara)
    url = reverse(f"admin:{page}_change", args=[thing.pk])
    assert clara_in.post(url, {"is_superuser": "on"}).status_code in (302, 403)
    clara.refresh_from_db()
    assert not clara.is_superuser


def test_somebody_without_a_role_is_led_to_the_door(amina):
    response = signed_in(amina).get(reverse("admin:index"))
    assert response.status_code == 302


def test_nothing_can_be_deleted_in_bulk(root_in, things):
    for model in admin.site._registry:
        response = root_in.get(reverse(name(model, "changelist")))
        form = response.context["cl"].model_admin.get_actions(response.wsgi_request)
        assert "delete_selected" not in form


def test_the_admin_speaks_the_organisers_language(clara, clara_in):
    clara.language = "ar"
    clara.save()
    page = clara_in.get(reverse("admin:index")).content.decode()
    assert 'lang="ar"' in page
    assert 'dir="rtl"' in page

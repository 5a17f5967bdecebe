"""Each organiser sees and does what the role says, on its own events, by every way in."""

import re
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

SUPERUSERS_ONLY = {"accounts.user"}
# Lists that a manager of a process has brought: each sees their own.
OF_ONE_PERSON = {"stakeholders.importrun"}
KINDS = ["manager", "reviewer", "reader", "door"]
MANAGER, REVIEWERS, READERS = KINDS[:1], KINDS[:2], KINDS[:3]

# What opens to a manager, a reviewer, a reader and the door: list, page, history.
OPENS = """
events.process              LPH LPH LP- ---
events.event                LPH LPH LP- ---
events.deadline             LPH LPH LP- ---
events.role                 LPH --- --- ---
registrations.registration  LPH LPH LP- ---
registrations.delegate      LPH LPH LP- ---
registrations.invitation    LPH --- --- ---
registrations.exemption     LPH --- --- ---
registrations.correction    LPH LPH --- ---
registrations.importrun     LPH --- --- ---
registrations.message       LPH LPH --- ---
stakeholders.organisation   LPH LPH LP- ---
stakeholders.representative LPH --- --- ---
stakeholders.membership     LPH --- --- ---
notifications.letter        LPH LPH --- ---
audit.entry                 LPH LPH --- ---
"""

# To whom each own page opens.
PAGES = {
    "events_deadline_add_step": MANAGER,
    "events_deadline_letters": READERS,
    "events_deadline_move": MANAGER,
    "events_deadline_remove_step": MANAGER,
    "events_deadline_set": MANAGER,
    "events_event_begin_like": MANAGER,
    "events_event_cancel": MANAGER,
    "events_event_import_people": MANAGER,
    "events_event_invite": MANAGER,
    "events_event_let_in": MANAGER,
    "events_event_move": MANAGER,
    "events_event_on_behalf": MANAGER,
    "events_event_postpone": MANAGER,
    "events_event_publish": MANAGER,
    "events_event_questions": MANAGER,
    "events_event_overview": READERS,
    "events_event_queue": READERS,
    "events_event_reminders": READERS,
    "events_event_seats": READERS,
    "events_event_write": REVIEWERS,
    "events_role_change_kind": MANAGER,
    "events_role_revoke": MANAGER,
    "notifications_letter_cancel": MANAGER,
    "notifications_letter_hold": MANAGER,
    "notifications_letter_page": REVIEWERS,
    "notifications_letter_reach": REVIEWERS,
    "notifications_letter_release": MANAGER,
    "notifications_letter_send_again": REVIEWERS,
    "registrations_correction_accept": REVIEWERS,
    "registrations_correction_decline": REVIEWERS,
    "registrations_delegate_approve": REVIEWERS,
    "registrations_delegate_ask": REVIEWERS,
    "registrations_delegate_decline": REVIEWERS,
    "registrations_delegate_reopen": REVIEWERS,
    "registrations_delegate_wait_list": REVIEWERS,
    "registrations_exemption_let_in": MANAGER,
    "registrations_exemption_refuse": MANAGER,
    "registrations_importrun_bring_in": MANAGER,
    "registrations_importrun_columns": MANAGER,
    "registrations_importrun_look": MANAGER,
    "registrations_importrun_stayed_out": MANAGER,
    "registrations_importrun_take_back": MANAGER,
    "registrations_message_look": REVIEWERS,
    "registrations_message_send": REVIEWERS,
    "registrations_message_stop": REVIEWERS,
    "registrations_message_try_out": REVIEWERS,
    "registrations_message_words": REVIEWERS,
    "registrations_registration_assign": REVIEWERS,
    "registrations_registration_note": REVIEWERS,
    "registrations_registration_tags": REVIEWERS,
    "stakeholders_membership_answer": MANAGER,
    "stakeholders_membership_lost_factors": MANAGER,
    "stakeholders_membership_lost_mailbox": MANAGER,
    "stakeholders_membership_remove": MANAGER,
    "stakeholders_organisation_appoint": MANAGER,
    "stakeholders_organisation_correct": MANAGER,
    "stakeholders_organisation_merge": MANAGER,
    "stakeholders_organisation_people_alike": MANAGER,
    "stakeholders_representative_merge": MANAGER,
}

# The actions of lists, and who may take them. What is not named has none.
ACTIONS = {
    ("notifications.letter", "hold"): MANAGER,
    ("notifications.letter", "release"): MANAGER,
    ("notifications.letter", "cancel"): MANAGER,
    ("notifications.letter", "send_again"): REVIEWERS,
    ("registrations.delegate", "approve"): REVIEWERS,
    ("registrations.delegate", "decline"): REVIEWERS,
    ("registrations.delegate", "ask"): REVIEWERS,
    ("registrations.delegate", "wait_list"): REVIEWERS,
    ("registrations.delegate", "reopen"): REVIEWERS,
    ("registrations.delegate", "assign"): REVIEWERS,
    ("registrations.delegate", "tag"): REVIEWERS,
}
LINK = re.compile(r'href="(/admin/[^"#]*)"')


def name(model, page):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.fixture
def things(
    sent, sent_by_bo, clara_in, deadline, invitation, exemption, correction, import_run, message
):
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
        correction,
        import_run,
        message,
        Role.objects.get(user__email="clara@secretariat.example"),
        sent.organisation.memberships.get(),
    ]


def people(on, where, now):
    """One organiser of each kind there, signed in."""
    clients = {}
    for kind in KINDS:
        user = User.objects.create_user(f"{kind}@{where}.example")
        roles.grant(user, on=on, kind=kind, by=None, now=now)
        clients[kind] = signed_in(user)
    return clients


@pytest.fixture
def inside(process, now):
    return people(process, "inside", now)


@pytest.fixture
def outside(dina_in, now):
    return people(Event.objects.get(slug="other-hearing"), "outside", now)


def opened(client, thing):
    """Which of list, page and history tell of the thing."""
    listed = client.get(reverse(name(type(thing), "changelist")))
    assert listed.status_code in (200, 403)
    is_listed = listed.status_code == 200 and thing in listed.context["cl"].result_list
    told = "L" if is_listed else "-"
    for letter, page in (("P", "change"), ("H", "history")):
        status = client.get(reverse(name(type(thing), page), args=[thing.pk])).status_code
        assert status in (200, 302, 403), (thing, page, status)
        told += letter if status == 200 else "-"
    return told


def page_urls(things):
    """Own pages, by name."""
    urls = {}
    for thing in things:
        model_admin = admin.site.get_model_admin(type(thing))
        for word, _view in model_admin.pages():
            urls[model_admin.page_name(word)] = model_admin.page_url(word, thing)
    [event] = [thing for thing in things if isinstance(thing, Event)]
    return urls | {"events_deadline_set": reverse("admin:events_deadline_set", args=[event.pk])}


def test_each_role_opens_what_it_should(inside, things):
    found = {
        thing._meta.label_lower: [opened(client, thing) for client in inside.values()]
        for thing in things
    }

    assert found == {line.split()[0]: line.split()[1:] for line in OPENS.split("\n") if line}


def test_no_role_elsewhere_opens_anything(outside, things):
    for kind, client in outside.items():
        assert {opened(client, thing) for thing in things} == {"---"}, kind


def test_each_role_opens_its_own_pages(inside, things):
    found = {
        page: [kind for kind, client in inside.items() if client.get(url).status_code == 200]
        for page, url in page_urls(things).items()
    }

    assert found == PAGES


def test_what_is_not_opened_takes_no_post_either(inside, outside, things):
    typed = {"confirm": "yes", "reason": "x", "question": "x", "answer": "x", "kind": "manager"}
    before = Entry.objects.count()
    for page, url in page_urls(things).items():
        for kind in KINDS:
            if kind not in PAGES[page]:
                assert inside[kind].post(url, typed).status_code in (403, 404), (kind, page)
            assert outside[kind].post(url, typed).status_code == 404, (kind, page)
    assert Entry.objects.count() == before


def test_a_page_for_looking_takes_no_post(inside, hearing):
    url = reverse("admin:events_event_seats", args=[hearing.pk])

    assert inside["reader"].post(url, {"confirm": "yes", "seats": "1"}).status_code == 403
    html = inside["reader"].get(url).content.decode()
    assert "disabled" in html
    assert 'name="confirm"' not in html
    assert 'name="confirm"' in inside["manager"].get(url).content.decode()


def test_nobody_but_a_manager_writes_in_a_form(inside, hearing, process):
    for thing in (hearing, process):
        url = reverse(name(type(thing), "change"), args=[thing.pk])
        before = type(thing).objects.filter(pk=thing.pk).values().get()
        for kind in KINDS[1:]:
            assert inside[kind].post(url, {"name_en": "Mallory"}).status_code == 403, kind
        assert type(thing).objects.filter(pk=thing.pk).values().get() == before
    for kind in KINDS:
        status = 200 if kind == "manager" else 403
        assert inside[kind].get(reverse("admin:events_event_add")).status_code == status, kind


def test_each_role_takes_its_own_actions(inside, things):
    found = {}
    for kind, client in inside.items():
        for model in admin.site._registry:
            page = client.get(reverse(name(model, "changelist")))
            if page.status_code == 200:
                actions = page.context["cl"].model_admin.get_actions(page.wsgi_request)
                for action in actions:
                    found.setdefault((model._meta.label_lower, action), []).append(kind)

    assert found == ACTIONS


@pytest.mark.parametrize(("label", "action"), list(ACTIONS))
def test_an_action_that_is_not_offered_does_nothing(inside, things, label, action):
    [thing] = [one for one in things if one._meta.label_lower == label]
    url = reverse(name(type(thing), "changelist"))
    states = list(type(thing).objects.order_by("pk").values_list("state", flat=True))
    for kind in KINDS:
        if kind not in ACTIONS[label, action]:
            for typed in ({}, {"confirm": "yes", "reason": "x", "question": "x"}):
                inside[kind].post(url, {"action": action, "_selected_action": thing.pk, **typed})
    assert list(type(thing).objects.order_by("pk").values_list("state", flat=True)) == states


def test_who_looks_here_and_runs_there_does_nothing_here(things, sent, sent_by_bo, second, now):
    """Rights are asked of the event that the thing belongs to, not of any."""
    eva = User.objects.create_user("eva@secretariat.example")
    roles.grant(eva, on=sent.event, kind="reader", by=None, now=now)
    roles.grant(eva, on=second, kind="manager", by=None, now=now)
    eva_in = signed_in(eva)
    delegate = sent_by_bo.delegates.get()
    letter = Letter.objects.filter(scope=sent.event_id, state="queued").first()

    for page, url in page_urls(things).items():
        expected = 200 if PAGES[page] == READERS else None
        if PAGES[page] in (READERS, REVIEWERS) or page.startswith("events_"):
            status = eva_in.get(url).status_code
            assert status == expected if expected else status in (403, 404), page
    for thing in things:
        assert opened(eva_in, thing) in {"LP-", "---"}, thing
    for listed, action, chosen in (
        ("registrations_delegate", "approve", delegate.pk),
        ("notifications_letter", "cancel", letter.pk),
    ):
        url = reverse(f"admin:{listed}_changelist")
        eva_in.post(url, {"action": action, "_selected_action": [chosen], "confirm": "yes"})
    delegate.refresh_from_db()
    letter.refresh_from_db()
    assert (delegate.state, letter.state) == ("submitted", "queued")
    change = reverse("admin:events_event_change", args=[sent.event_id])
    assert eva_in.post(change, {"name_en": "Mallory"}).status_code == 403


def test_choices_in_forms_are_what_one_runs(things, dina_in, process, now):
    """Whoever looks at one process and runs another makes events in that one only."""
    eva = User.objects.create_user("eva@secretariat.example")
    other = Event.objects.get(slug="other-hearing").process
    roles.grant(eva, on=process, kind="reader", by=None, now=now)
    roles.grant(eva, on=other, kind="manager", by=None, now=now)

    form = signed_in(eva).get(reverse("admin:events_event_add")).context["adminform"].form

    assert list(form.fields["process"].queryset) == [other]


@pytest.mark.parametrize("on", ["process", "event"])
def test_no_page_offers_what_would_be_refused(things, process, hearing, now, on):
    """Every link within the organisers' side, from every page that opens, opens too."""
    clients = people(process if on == "process" else hearing, "inside", now)
    for kind, client in clients.items():
        pages = [reverse("admin:index")]
        for thing in things:
            pages += [
                reverse(name(type(thing), "changelist")),
                reverse(name(type(thing), "change"), args=[thing.pk]),
            ]
        links = set()
        for page in pages:
            response = client.get(page)
            if response.status_code == 200:
                links |= set(LINK.findall(response.content.decode()))
        assert "/admin/" in links
        for link in sorted(links - {"/admin/jsi18n/"}):
            assert client.get(link.replace("&amp;", "&")).status_code == 200, (kind, link)


def test_addresses_are_for_those_who_may_write_to_them(inside, things, sent):
    url = reverse("admin:registrations_registration_change", args=[sent.pk])

    shown = [
        kind
        for kind in READERS
        if "amina@diaspora.example" in inside[kind].get(url).content.decode()
    ]

    assert shown == REVIEWERS


def test_a_reader_finds_no_address_anywhere(inside, things):
    for thing in things:
        for page in ("changelist", "change"):
            args = [thing.pk] if page == "change" else []
            response = inside["reader"].get(reverse(name(type(thing), page), args=args))
            if response.status_code == 200:
                assert re.findall(r"[\w.]+@(?!inside)\w[\w.]*", response.content.decode()) in (
                    [],
                    ["hearing@secretariat.example"],
                ), (thing, page)


def test_with_the_last_role_the_side_shuts_at_once(inside, clara, process, now):
    role = Role.objects.get(user__email="reviewer@inside.example")
    assert inside["reviewer"].get(reverse("admin:index")).status_code == 200

    roles.revoke(role, by=clara, now=now)

    assert inside["reviewer"].get(reverse("admin:index")).status_code == 302
    assert inside["reviewer"].get(reverse("accounts:me")).status_code == 200


def test_every_kind_is_tried(things):
    tried = {thing._meta.label_lower for thing in things} | SUPERUSERS_ONLY | OF_ONE_PERSON
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


@pytest.mark.parametrize("action", ["approve", "decline", "ask", "wait_list", "reopen"])
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
    everything = {model._meta.label_lower for model in admin.site._registry}
    assert kinds(root_in) == everything
    assert kinds(clara_in) == everything - SUPERUSERS_ONLY


def kinds(client):
    page = client.get(reverse("admin:index"))
    return {
        model["model"]._meta.label_lower
        for app in page.context["app_list"]
        for model in app["models"]
    }


def test_the_index_shows_what_the_role_opens(inside):
    rows = [line.split() for line in OPENS.split("\n") if line]
    for number, kind in enumerate(KINDS, start=1):
        opens = {row[0] for row in rows if row[number] != "---"}
        opens |= OF_ONE_PERSON if kind == "manager" else set()
        opens |= {"registrations.delegate"} if kind == "door" else set()
        assert kinds(inside[kind]) == opens, kind


def test_the_door_sees_who_is_expected_and_nobody_else(inside, things, sent):
    sent.delegates.filter(representative__given_names="Moussa").update(state="approved")

    html = inside["door"].get(reverse("admin:registrations_delegate_changelist")).content.decode()

    assert [name in html for name in ("Moussa", "Fatoumata", "Jun")] == [True, False, False]
    assert "@diaspora.example" not in html
    assert sent.reference not in html


def test_people_are_for_superusers(clara, clara_in):
    assert clara_in.get(reverse("admin:accounts_user_changelist")).status_code == 403
    url = reverse("admin:accounts_user_change", args=[clara.pk])
    assert clara_in.post(url, {"is_superuser": "on"}).status_code in (302, 403)
    clara.refresh_from_db()
    assert not clara.is_superuser


@pytest.mark.parametrize("field", ["user", "event", "process"])
def test_no_autocompletion_goes_round_it(inside, things, field):
    """Django's own address for them asks the list of that thing."""
    query = {"app_label": "events", "model_name": "role", "field_name": field, "term": ""}
    for kind, client in inside.items():
        response = client.get(reverse("admin:autocomplete"), query)
        assert response.status_code in (200, 403), kind
        if response.status_code == 200:
            found = {one["text"] for one in response.json()["results"]}
            assert field != "user"
            assert found <= {"Hearing on the Global Compact", "Global Compact for Migration"}


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

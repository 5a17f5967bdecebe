"""Roles are given, changed and taken in the admin by those who run the event or the process."""

import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import roles
from events.models import Event, Role
from notifications.models import Letter
from tests.admin.conftest import signed_in

ADD = reverse("admin:events_role_add")
LIST = reverse("admin:events_role_changelist")


@pytest.fixture
def eva(hearing, now) -> User:
    """Manages the hearing, and nothing else."""
    user = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(user, on=hearing, by=None, now=now)
    return user


def page(word, role):
    return reverse(f"admin:events_role_{word}", args=[role.pk])


def typed(**changes):
    return {"email": "new@secretariat.example", "kind": "reader", "confirm": "yes"} | changes


def test_a_manager_gives_changes_and_takes_a_role(clara_in, hearing, amina):
    response = clara_in.post(ADD, typed(email="AMINA@diaspora.example", on=hearing.pk))

    assert (response.status_code, response.url) == (302, LIST)
    role = Role.objects.get(user=amina)
    assert (role.event, role.kind) == (hearing, "reader")
    amina_in = signed_in(amina)
    assert amina_in.get(reverse("admin:index")).status_code == 200

    clara_in.post(page("change_kind", role), {"kind": "reviewer", "confirm": "yes"})
    role.refresh_from_db()
    assert role.kind == "reviewer"

    response = clara_in.post(page("revoke", role), {"confirm": "yes"})
    assert (response.status_code, response.url) == (302, LIST)
    assert not amina.roles.exists()
    assert amina_in.get(reverse("admin:index")).status_code == 302
    verbs = Entry.objects.filter(subject_type="events.role", subject_id=str(role.pk))
    assert list(verbs.order_by("id").values_list("verb", flat=True)) == [
        "role granted",
        "role changed",
        "role revoked",
    ]


def test_an_unknown_address_is_invited(clara_in, process):
    clara_in.post(ADD, typed(on=process.pk, kind="door"))

    role = Role.objects.get(user__email="new@secretariat.example")
    assert (role.process, role.kind) == (process, "door")
    assert Letter.objects.get().to == "new@secretariat.example"
    told = clara_in.get(LIST).context["messages"]
    assert [str(message) for message in told] == [
        "new@secretariat.example has the role. We have written to new@secretariat.example."
    ]


def test_nothing_is_given_before_it_is_confirmed(clara_in, hearing):
    words = typed(on=hearing.pk)
    del words["confirm"]

    assert clara_in.post(ADD, words).status_code == 200
    assert not User.objects.filter(email="new@secretariat.example").exists()


def offered(client):
    choices = client.get(ADD).context["form"].fields["on"].choices
    return {words: [said for _pk, said in of] for words, of in choices[1:]}


def test_each_offers_what_is_run(clara_in, root_in, dina_in, eva, hearing, second):
    here = {
        "Processes": ["Global Compact for Migration"],
        "Events": ["Second", "Hearing on the Global Compact"],
    }
    there = {"Processes": ["Other process"], "Events": ["Another hearing"]}

    assert {words: set(of) for words, of in offered(clara_in).items()} == {
        words: set(of) for words, of in here.items()
    }
    assert offered(dina_in) == there
    assert offered(signed_in(eva)) == {"Events": ["Hearing on the Global Compact"]}
    assert {words: set(of) for words, of in offered(root_in).items()} == {
        words: {*here[words], *there[words]} for words in here
    }


def test_nothing_is_given_on_what_is_not_run(eva, dina_in, hearing, second, process):
    other = Event.objects.get(slug="other-hearing")
    for on in (second.pk, process.pk, other.pk, other.process_id, "", "x", "\x00"):
        response = signed_in(eva).post(ADD, typed(on=on))
        assert response.context["form"].errors["on"] == ["Choose one."], on
    assert Role.objects.filter(user__email="new@secretariat.example").count() == 0


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"email": ""}, "email", "Write the address of the person."),
        ({"email": "clara"}, "email", "This is not a whole email address."),
        ({"email": f"{'a' * 250}@x.example"}, "email", "254"),
        ({"email": "a\x00@x.example"}, "email", "This is not a whole email address."),
        ({"email": "clara@secretariat.example", "kind": "manager"}, "email", "has this role on"),
        ({"email": "shut@secretariat.example"}, "email", "may not sign in here"),
        ({"kind": ""}, "kind", "Choose one."),
        ({"kind": "superuser"}, "kind", "Choose one."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(clara_in, process, changes, field, sentence):
    User.objects.create_user("shut@secretariat.example", is_active=False)

    response = clara_in.post(ADD, typed(on=process.pk) | changes)

    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert sentence in errors[field][0]
    assert Role.objects.count() == 1


def test_the_list_holds_what_is_run(clara, clara_in, dina_in, eva, hearing):
    def listed(client):
        rows = client.get(LIST).context["cl"].result_list
        return [(role.user.email, str(role.on)) for role in rows]

    hers = (clara.email, "Global Compact for Migration")
    evas = (eva.email, "Hearing on the Global Compact")
    assert listed(clara_in) == [hers, evas]
    assert listed(signed_in(eva)) == [evas]
    assert listed(dina_in) == [("dina@secretariat.example", "Other process")]


def test_the_manager_of_an_event_touches_no_role_on_its_process(clara, eva, hearing):
    role, eva_in = Role.objects.get(user=clara), signed_in(eva)
    for word in ("change_kind", "revoke"):
        assert eva_in.post(page(word, role), {"kind": "door", "confirm": "yes"}).status_code == 404
    role.refresh_from_db()
    assert role.kind == "manager"


def test_taking_the_last_managers_role_says_so(clara, clara_in, root_in, eva):
    hers, evas = Role.objects.get(user=clara), Role.objects.get(user=eva)

    last = root_in.get(page("revoke", hers)).content.decode()
    own = clara_in.get(page("revoke", hers)).content.decode()
    other = clara_in.get(page("revoke", evas)).content.decode()

    nobody = "Nobody else runs “Global Compact for Migration”"
    assert [nobody in html for html in (last, own, other)] == [True, True, False]
    assert ["It is your own." in html for html in (last, own, other)] == [False, True, False]
    assert "One letter goes to clara@secretariat.example." in last


def test_whoever_gives_up_their_own_role_is_led_out(clara, clara_in):
    response = clara_in.post(
        page("revoke", Role.objects.get(user=clara)), {"confirm": "yes"}, follow=True
    )

    assert response.redirect_chain == [(reverse("accounts:me"), 302)]
    assert response.status_code == 200
    assert not Role.objects.exists()


def test_a_role_taken_meanwhile_is_missing(clara_in, clara, eva, now):
    role = Role.objects.get(user=eva)
    url = page("revoke", role)
    roles.revoke(role, by=clara, now=now)

    assert clara_in.post(url, {"confirm": "yes"}).status_code == 404


def test_the_history_tells_which_role(clara_in, clara, eva, now):
    role = Role.objects.get(user=eva)
    roles.change(role, kind="door", by=clara, now=now)

    html = clara_in.get(page("history", role)).content.decode()

    assert "Role changed" in html
    assert "<bdi>Manager</bdi> → <bdi>Door</bdi>" in html

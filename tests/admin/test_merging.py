"""Possible duplicates: found, compared, made one and two again on the pages of organisers."""

import html
import re
import uuid

import pytest
from django.urls import reverse

from accounts.models import User
from events import roles
from registrations.models import Merge, Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation, Representative
from tests.conftest import signed_in
from tests.hostile.texts import CONTROLS, LONG, MARKUP

ALIKE = reverse("admin:stakeholders_organisation_alike")
LIST = reverse("admin:stakeholders_organisation_changelist")


def page(thing, word: str = "merge") -> str:
    return reverse(f"admin:stakeholders_{thing._meta.model_name}_{word}", args=[thing.pk])


def undo_page(merge: Merge) -> str:
    return reverse("admin:stakeholders_organisation_undo_merge", args=[merge.pk])


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


@pytest.fixture
def own(sent) -> Organisation:
    return sent.organisation


@pytest.fixture
def dana(now) -> User:
    return User.objects.create_user("dana@diaspora.example", name="Dana Ba")


@pytest.fixture
def twin(dana, second, process, now) -> Organisation:
    """Entered by Dana, with a delegation to another event of Clara's."""
    twin = Organisation(name="Diaspora Networks", country="ML", category="diaspora")
    membership.found(twin, by=dana, now=now)
    registration = Registration.objects.create(
        event=second, organisation=twin, reference="GCM-TWIN-0001", begun_at=now, sent_at=now
    )
    binta = Representative.objects.create(organisation=twin, given_names="Binta")
    registration.delegates.create(representative=binta, state="submitted")
    return twin


def test_people_of_an_entry_that_was_taken_in_are_found_by_its_filter(clara_in, sent, own):
    """A delegation that was withdrawn stays behind, and stands in the attendee list."""
    people = reverse("admin:registrations_delegate_changelist")
    stub = Organisation.objects.create(name="Diaspora Networks", merged_into=own)
    Registration.objects.filter(pk=sent.pk).update(organisation=stub)

    offered = clara_in.get(people)
    chosen = clara_in.get(people, {"organisation": stub.pk})

    assert str(stub.pk) in offered.content.decode()
    assert chosen.context["cl"].result_count == 3


@pytest.mark.parametrize("name", ["\x00", "Dia\x00spora", "x" * 70_000])
def test_a_name_that_is_none_is_looked_for_all_the_same(clara_in, own, name):
    assert clara_in.get(page(own), {"name": name}).status_code == 200


@pytest.fixture
def listed(db) -> Organisation:
    """From a list: nothing belongs to it."""
    return Organisation.objects.create(name="Diaspora Network (DN)", country="ML")


def compared(client, own, other, **more):
    return client.get(page(own), {"other": other.pk, **more})


def confirm(client, own, other, staying=(), **more):
    shown = compared(client, own, other)
    return client.post(
        f"{page(own)}?other={other.pk}",
        {
            "seen": dict(shown.context["hidden"])["seen"],
            "staying": [user.pk for user in staying],
            "confirm": "yes",
            **more,
        },
    )


def test_like_names_stand_together_with_what_each_has(clara_in, own, twin, listed, port_workers):
    shown = clara_in.get(ALIKE)

    [group] = shown.context["groups"]
    assert [(entry.row.name, entry.facts, bool(entry.merge_url)) for entry in group] == [
        ("Diaspora Network",
         ["Mali", "Focal points: Amina Diallo", "1 registration", "3 people entered"], False),
        ("Diaspora Networks",
         ["Mali", "Focal points: Dana Ba", "1 registration", "1 person entered"], True),
        ("Diaspora Network (DN)",
         ["Mali", "Focal points: –", "0 registrations", "0 people entered"], True),
    ]  # fmt: skip
    assert "1 group of like names." in words(shown)


def test_the_same_name_in_another_country_is_another_one(clara_in, own, twin):
    Organisation.objects.filter(pk=twin.pk).update(country="SN")

    assert clara_in.get(ALIKE).context["groups"] == []


def test_those_of_other_organisers_are_not_in_it(dina_in, own, twin, listed):
    assert dina_in.get(ALIKE).context["groups"] == []
    assert "Amina" not in words(dina_in.get(ALIKE))
    assert dina_in.get(page(own)).status_code == 404
    assert compared(dina_in, own, twin).status_code == 404


@pytest.mark.parametrize("kind", ["reviewer", "reader", "door"])
def test_only_who_runs_events_looks_for_them(own, twin, process, now, kind):
    eva = User.objects.create_user("eva@secretariat.example")
    roles.grant(eva, on=process, kind=kind, by=None, now=now)
    eva_in = signed_in(eva)

    assert eva_in.get(ALIKE).status_code == 404
    assert compared(eva_in, own, twin).status_code in (403, 404)
    assert ALIKE not in eva_in.get(LIST).content.decode()


def test_the_list_leads_there(clara_in, own):
    assert ALIKE in clara_in.get(LIST).content.decode()


def test_the_other_one_is_chosen_from_like_names_or_looked_for(clara_in, own, twin, port_workers):
    chosen = clara_in.get(page(own)).context["form"].fields["other"].choices
    assert chosen == [(str(twin.pk), "Diaspora Networks (Mali)")]

    answer = clara_in.post(page(own), {"other": twin.pk})
    assert answer.url == f"{page(own)}?other={twin.pk}"
    answer = clara_in.post(page(own), {"name": "Port Workers"})
    assert answer.url == f"{page(own)}?name=Port+Workers"
    assert "other" not in clara_in.get(answer.url).context["form"].fields
    for typed in ({}, {"other": uuid.uuid4()}):
        assert "Choose one of them" in words(clara_in.post(page(own), typed))


def test_both_stand_side_by_side_with_what_goes_where(clara_in, own, twin):
    shown = compared(clara_in, own, twin)

    assert [column["row"] for column in shown.context["columns"]] == [own, twin]
    assert shown.context["goes"] == [
        "GCM-TWIN-0001 (Second) belongs to “Diaspora Network”, and keeps its reference.",
        "1 person of “Diaspora Networks” is a person of “Diaspora Network” then.",
        "Found by these names too: Diaspora Networks",
        "“Diaspora Networks” is in no list, search or import any more; links to it lead to "
        "“Diaspora Network”.",
    ]
    assert shown.context["sight"] == [
        "Amina Diallo will see the registrations and the people of “Diaspora Networks”.",
        "Dana Ba will see the registrations and the people of “Diaspora Network”, if you let them "
        "keep their access.",
    ]
    assert "A letter goes to 2 focal points" in words(shown)
    ticked = shown.context["form"]["staying"].value()
    assert ticked == [str(User.objects.get(name="Amina Diallo").pk)]


def test_they_become_one_and_two_again(clara_in, own, twin, amina, dana):
    done = confirm(clara_in, own, twin, [amina])

    assert done.url == page(own, "change")
    landed = clara_in.get(done.url)
    merge = Merge.objects.get()
    assert "“Diaspora Networks” is part of “Diaspora Network” now." in words(landed)
    assert undo_page(merge) in landed.content.decode()
    assert undo_page(merge) in clara_in.get(ALIKE).content.decode()
    assert clara_in.get(page(twin, "change")).url == page(own, "change")
    assert dana.memberships.get().state == "asked"

    asked = clara_in.get(undo_page(merge))
    assert "Everything that was moved goes back" in words(asked)
    assert clara_in.post(undo_page(merge), {"confirm": "yes"}).url == page(own, "change")
    assert dana.memberships.get().is_focal_point
    assert "This was undone already." in words(clara_in.get(undo_page(merge)))


def test_the_other_one_can_be_kept_instead(clara_in, own, listed, amina):
    swapped = compared(clara_in, own, listed, keep="other")
    assert [column["row"] for column in swapped.context["columns"]] == [listed, own]
    done = clara_in.post(
        f"{page(own)}?other={listed.pk}&keep=other",
        {
            "seen": dict(swapped.context["hidden"])["seen"],
            "staying": [amina.pk],
            "confirm": "yes",
        },
    )

    assert done.url == page(listed, "change")
    assert clara_in.get(done.url).status_code == 200
    assert amina.memberships.get().organisation == listed


def test_sent_twice_it_says_that_it_is_done(clara_in, own, twin, amina):
    shown = compared(clara_in, own, twin)
    typed = {
        "seen": dict(shown.context["hidden"])["seen"], "staying": [amina.pk], "confirm": "yes"
    }  # fmt: skip
    clara_in.post(f"{page(own)}?other={twin.pk}", typed)

    again = clara_in.post(f"{page(own)}?other={twin.pk}", typed, follow=True)

    assert "The two are one already." in words(again)
    assert Merge.objects.count() == 1


def test_refusals_stand_beside_what_they_are_about(clara_in, own, twin, amina):
    nobody = confirm(clara_in, own, twin, [])
    assert "would have no focal point" in nobody.context["form"].errors["staying"][0]

    old = confirm(clara_in, own, twin, [amina], seen="0")
    assert "since you looked" in old.context["form"].errors["__all__"][0]
    assert not Merge.objects.exists()


def test_what_cannot_be_has_no_button(clara_in, sent_by_bo, own):
    shown = compared(clara_in, own, sent_by_bo.organisation)

    assert "One of the two delegations has to be withdrawn first." in words(shown)
    assert 'name="confirm"' not in shown.content.decode()


@pytest.mark.parametrize("typed", ["", "nothing", str(uuid.UUID(int=7)), "x" * 300, "a\x00b"])
def test_an_address_that_is_none(clara_in, own, typed):
    assert clara_in.get(page(own), {"other": typed}).status_code in (200, 404)
    assert clara_in.get(page(own), {"name": typed}).status_code == 200


def test_any_text_is_looked_for(clara_in, own):
    for typed in [*MARKUP[:3], *CONTROLS[:3], *LONG]:
        look_for(clara_in, own, typed)


def look_for(clara_in, own, typed):
    answer = clara_in.post(page(own), {"name": typed})

    assert answer.status_code in (200, 302)
    if answer.status_code == 302:
        assert clara_in.get(answer.url).status_code == 200
    for field in ("seen", "staying"):
        sent = clara_in.post(f"{page(own)}?other={own.pk}", {field: typed, "confirm": "yes"})
        assert sent.status_code == 404


def test_what_stands_in_the_way_is_named(clara_in, own, twin, amina, now):
    confirm(clara_in, own, twin, [amina])
    membership.agree(Membership.objects.get(state="asked"), by=amina, now=now)

    shown = clara_in.get(undo_page(Merge.objects.get()))

    assert "What stands in the way Dana Ba: Diaspora Network was changed" in words(shown)
    assert 'name="confirm"' not in shown.content.decode()


def test_merges_of_others_are_not_there(clara_in, dina_in, own, twin, amina):
    confirm(clara_in, own, twin, [amina])
    address = undo_page(Merge.objects.get())

    assert dina_in.get(address).status_code == 404
    assert dina_in.post(address, {"confirm": "yes"}).status_code == 404
    assert Merge.objects.get().undone_at is None


# People


@pytest.fixture
def moussa(sent) -> Representative:
    return sent.organisation.representatives.get(given_names="Moussa")


@pytest.fixture
def moussa_again(own, second, now) -> Representative:
    """The same man by another name, with the same address, sent to the second event."""
    again = Representative.objects.create(
        organisation=own, given_names="M.", family_name="Keita", email="Moussa@diaspora.example"
    )
    registration = Registration.objects.create(
        event=second, organisation=own, reference="GCM-TWIN-0002", begun_at=now, sent_at=now
    )
    registration.delegates.create(representative=again, state="submitted")
    return again


def test_people_with_one_address_stand_together(clara_in, own, moussa, moussa_again):
    shown = clara_in.get(page(own, "people_alike"))

    [group] = shown.context["groups"]
    assert [(str(entry.row), entry.facts) for entry in group] == [
        ("M. Keita", ["Moussa@diaspora.example", "in 1 delegation"]),
        ("Moussa Keïta", ["moussa@diaspora.example", "in 1 delegation"]),
    ]
    assert group[1].merge_url == f"{page(moussa_again)}?other={moussa.pk}"


def test_a_slip_of_the_pen_is_seen_and_whoever_was_never_sent_is_not(
    clara_in, own, moussa, moussa_again
):
    Representative.objects.filter(pk=moussa_again.pk).update(email="")
    for name in ("Mousa", "Moussa"):
        Representative.objects.create(organisation=own, given_names=name, family_name="Keïta")
    sent = Representative.objects.get(given_names="Mousa")
    moussa_again.delegates.update(representative=sent)

    [group] = clara_in.get(page(own, "people_alike")).context["groups"]
    assert [entry.row for entry in group] == [sent, moussa]


def test_people_become_one(clara_in, own, moussa, moussa_again):
    chosen = clara_in.post(page(moussa), {"other": moussa_again.pk})
    assert chosen.url == f"{page(moussa)}?other={moussa_again.pk}"
    shown = clara_in.get(chosen.url)
    assert shown.context["goes"] == [
        "In GCM-TWIN-0002 (Second) the name is Moussa Keïta, no longer M. Keita."
    ]

    typed = {"seen": dict(shown.context["hidden"])["seen"], "confirm": "yes"}
    done = clara_in.post(chosen.url, typed)

    assert done.url == page(moussa, "change")
    assert moussa.delegates.count() == 2
    history = clara_in.get(page(moussa, "history")).context["lines"]
    assert [line.what for line in history] == [
        "Taken into another entry of this person",
        "Another entry of this person taken in",
    ]
    assert clara_in.get(undo_page(Merge.objects.get())).status_code == 200


def test_people_of_others_are_not_offered(clara_in, dina_in, own, moussa, moussa_again, sent_by_bo):
    jun = Representative.objects.get(given_names="Jun")

    offered = [
        said for _pk, said in clara_in.get(page(moussa)).context["form"]["other"].field.choices
    ]
    assert not any("Jun" in str(said) for said in offered)
    assert clara_in.get(page(moussa), {"other": jun.pk}).status_code == 404
    assert dina_in.get(page(moussa), {"other": moussa_again.pk}).status_code == 404
    assert "Choose from the list." in words(clara_in.post(page(moussa), {"other": jun.pk}))


# Quick


def test_the_page_of_duplicates_asks_as_much_for_many_as_for_one(
    clara_in, own, twin, connection_queries
):
    """Session, person, roles, the organisations, which are theirs, the clock, how many
    registrations and people, focal points, merges."""
    clara_in.get(ALIKE)
    few = connection_queries(lambda: clara_in.get(ALIKE))
    for number in range(20):
        Organisation.objects.create(name=f"Diaspora Networks {number}")

    many = connection_queries(lambda: clara_in.get(ALIKE))
    assert len(clara_in.get(ALIKE).context["groups"][0]) > 9
    assert (few, many) == (9, 9)

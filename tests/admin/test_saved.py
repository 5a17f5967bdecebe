"""Saved views of the attendee list, as organisers find, keep and change them."""

import html
import re

import pytest
from django.urls import reverse

from accounts.models import User
from events import roles
from registrations import saved_views
from registrations.admin import saved
from registrations.models import SavedView
from tests.conftest import signed_in

LIST = reverse("admin:registrations_delegate_changelist")
KEEP = reverse("admin:registrations_delegate_keep_view")
SHELF = reverse("admin:registrations_delegate_views")
EVENT = "registration__event__id__exact"
NOTHING = "sort=&columns=name,organisation,event,role,state,place,reference,sent"


def page(word: str, view: SavedView) -> str:
    return reverse(f"admin:registrations_delegate_{word}_view", args=[view.pk])


def organiser(kind: str, on, now) -> User:
    user = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(user, on=on, kind=kind, by=None, now=now)
    return user


def offered(response) -> list[tuple[str, bool]]:
    return [(view["name"], view["is_shown"]) for view in response.context["views"]]


def names(response) -> list[str]:
    return [str(delegate) for delegate in response.context["cl"].result_list]


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


def keep_link(response) -> str:
    return response.context["keep_url"]


def test_a_view_is_kept_and_shows_the_same_again(clara_in, clara, sent, hearing):
    columns = "name,role,state"
    asked = {"state": "submitted", EVENT: hearing.pk, "q": "a", "columns": columns, "o": "-2"}
    listed = clara_in.get(LIST, asked)
    link = keep_link(listed)

    shown = clara_in.get(link)
    assert shown.context["chips"] == [chip for chip, _url in listed.context["cl"].chips]
    done = clara_in.post(link, {"name": "  To decide ", "confirm": "yes"}, follow=True)

    view = SavedView.objects.get()
    assert (view.name, view.owner, view.shared_on) == ("To decide", clara, None)
    assert view.query == (
        f"q=a&{EVENT}={hearing.pk}&state=submitted&sort=-role&columns=name,role,state"
    )
    assert "Saved: To decide" in words(done)
    clara_in.get(LIST, {"columns": "name,email"})
    again = clara_in.get(f"{LIST}?{view.query}", follow=True)
    assert names(again) == names(listed) != []
    assert again.context["cl"].list_display == listed.context["cl"].list_display
    assert again.context["cl"].get_ordering_field_columns() == {2: "desc"}
    assert offered(again) == [("To decide", True)]
    assert offered(clara_in.get(LIST, {"state": "approved"})) == [("To decide", False)]


def test_only_what_the_list_knows_is_kept(clara_in, sent):
    link = keep_link(clara_in.get(LIST, {"p": 1, "_facets": "True"}))

    assert link == f"{KEEP}?{NOTHING}"
    clara_in.post(f"{link}&color=red&all=&state=approved", {"name": "Come", "confirm": "yes"})
    assert SavedView.objects.get().query == f"state=approved&{NOTHING}"


def test_it_is_shared_with_those_who_look_at_its_event(clara_in, sent, hearing, now):
    link = keep_link(clara_in.get(LIST, {EVENT: hearing.pk}))

    typed = {"name": "All", "is_shared": "on", "confirm": "yes"}
    clara_in.post(link, typed)

    assert SavedView.objects.get().shared_on == hearing
    eva_in = signed_in(organiser("reader", hearing, now))
    assert offered(eva_in.get(LIST)) == [("All", False)]
    shelf = words(eva_in.get(SHELF))
    assert "All Clara Weiss Hearing on the Global Compact" in shelf
    assert page("change", SavedView.objects.get()) not in eva_in.get(SHELF).content.decode()


def test_of_no_event_or_of_one_that_is_not_theirs_nothing_can_be_shared(clara_in, sent):
    form = clara_in.get(f"{KEEP}?state=approved")
    assert list(form.context["form"].fields) == ["name"]

    clara_in.post(f"{KEEP}?state=approved", {"name": "A", "is_shared": "on", "confirm": "yes"})

    assert SavedView.objects.get().shared_on is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Write a name for the view."),
        ("waiting", "You have a view of this name already: waiting"),
        ("x" * 81, "80"),
    ],
)
def test_a_bad_name_gets_its_sentence_and_is_kept(clara_in, clara, sent, now, name, sentence):
    saved_views.keep("Waiting", query=NOTHING, by=clara, now=now)

    answer = clara_in.post(f"{KEEP}?{NOTHING}", {"name": name, "confirm": "yes"})

    assert answer.status_code == 200
    assert sentence in " ".join(answer.context["form"].errors["name"])
    assert answer.context["form"]["name"].value() == name
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("query", ["state=nobody", "q=a%00b", "q=" + "a" * 5000, "o=99"])
def test_what_no_list_understands_is_not_kept(clara_in, sent, query):
    answer = clara_in.post(f"{KEEP}?{query}", {"name": "Odd", "confirm": "yes"})

    assert answer.status_code == 302
    kept = list(SavedView.objects.values_list("query", flat=True))
    assert kept == ([NOTHING] if query == "o=99" else [])


def test_a_view_whose_filter_is_gone_says_so(clara_in, clara, sent, now):
    query = f"{EVENT}=7d1f1d3e-0000-4000-8000-000000000000&{NOTHING}"
    saved_views.keep("Old", query=query, by=clara, now=now)

    answer = clara_in.get(f"{LIST}?{query}", follow=True)

    assert "A filter of that address is no longer here." in words(answer)


def test_one_s_own_is_renamed_shared_and_removed(clara_in, clara, sent, hearing, now):
    query = f"{EVENT}={hearing.pk}&{NOTHING}"
    view = saved_views.keep("Old", query=query, by=clara, now=now)

    typed = {"name": "New", "is_shared": "on", "confirm": "yes"}
    assert clara_in.post(page("change", view), typed)["Location"] == SHELF
    view.refresh_from_db()
    assert (view.name, view.shared_on) == ("New", hearing)

    question = words(clara_in.get(page("remove", view)))
    assert "New. All who use it lose it." in question
    assert clara_in.post(page("remove", view), {"confirm": "yes"})["Location"] == SHELF
    assert not SavedView.objects.exists()


def test_those_of_others_are_not_there_to_be_changed(clara_in, clara, sent, hearing, now):
    view = saved_views.keep("Hers", query=NOTHING, shared_on=hearing, by=clara, now=now)
    eva_in = signed_in(organiser("manager", hearing, now))

    for word in ("change", "remove"):
        assert eva_in.get(page(word, view)).status_code == 404
        typed = {"name": "Mine", "confirm": "yes"}
        assert eva_in.post(page(word, view), typed).status_code == 404

    assert SavedView.objects.get().name == "Hers"


def test_at_the_door_there_are_none(clara, sent, hearing, now):
    saved_views.keep("Hers", query=NOTHING, shared_on=hearing, by=clara, now=now)
    omar_in = signed_in(organiser("door", hearing, now))

    assert "views" not in omar_in.get(LIST).context
    assert [omar_in.get(address).status_code for address in (KEEP, SHELF)] == [404, 404]


def test_nor_in_the_list_of_a_door_that_one_also_keeps(sent, hearing, second, now):
    eva = organiser("reader", second, now)
    roles.grant(eva, on=hearing, kind="door", by=None, now=now)
    eva_in = signed_in(eva)

    assert "views" not in eva_in.get(LIST, {EVENT: hearing.pk}).context
    assert eva_in.get(KEEP, {EVENT: hearing.pk}).status_code == 404


def test_a_shared_view_shows_each_reader_what_they_may_see(clara, sent, hearing, now):
    columns = "sort=&columns=name,email,access_needs"
    view = saved_views.keep("All", query=columns, shared_on=hearing, by=clara, now=now)
    eva_in = signed_in(organiser("reader", hearing, now))

    shown = eva_in.get(f"{LIST}?{view.query}", follow=True)

    assert shown.context["cl"].list_display == ["person"]
    assert "aissata@diaspora.example" not in shown.content.decode()


def test_the_shelf_asks_as_much_for_many_as_for_one(
    clara_in, clara, sent, hearing, now, django_assert_num_queries
):
    """Session, person, roles, views."""
    saved_views.keep("One", query=NOTHING, shared_on=hearing, by=clara, now=now)
    clara_in.get(SHELF)
    with django_assert_num_queries(4):
        clara_in.get(SHELF)
    for number in range(9):
        saved_views.keep(f"More {number}", query=NOTHING, by=clara, now=now)

    with django_assert_num_queries(4):
        shown = clara_in.get(SHELF)
    assert len(shown.context["rows"]) == 10


def test_an_address_is_as_long_as_it_may_be(clara_in, sent, monkeypatch):
    monkeypatch.setattr(saved, "LONGEST_QUERY", 10)

    answer = clara_in.get(f"{KEEP}?state=approved", follow=True)

    assert "These filters are too long to be kept." in words(answer)

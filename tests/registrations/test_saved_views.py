"""Views of the attendee list: whose they are, who finds them, and what is refused."""

import pytest

from accounts.models import User
from events import roles
from events.models import Event
from registrations import refusals, saved_views
from registrations.models import SavedView, SavedViewQuerySet

pytestmark = pytest.mark.django_db

QUERY = "state=submitted&sort=&columns=name"


@pytest.fixture
def eva(hearing, now) -> User:
    """Reads the people of the hearing."""
    user = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(user, on=hearing, kind="reader", by=None, now=now)
    return user


@pytest.fixture
def omar(hearing, now) -> User:
    """Keeps its door."""
    user = User.objects.create_user("omar@secretariat.example", name="Omar")
    roles.grant(user, on=hearing, kind="door", by=None, now=now)
    return user


def found(user: User) -> list[str]:
    return [view.name for view in SavedView.objects.open_to(user).in_order()]


def test_what_is_kept_is_one_s_own(clara, eva, now):
    view = saved_views.keep("Waiting", query=QUERY, by=clara, now=now)

    assert (view.owner, view.query, view.shared_on, view.made_at) == (clara, QUERY, None, now)
    assert (found(clara), found(eva)) == (["Waiting"], [])


def test_what_is_shared_is_found_by_all_who_may_look_there(clara, eva, omar, hearing, now):
    dina = User.objects.create_user("dina@secretariat.example")
    saved_views.keep("Waiting", query=QUERY, shared_on=hearing, by=clara, now=now)
    saved_views.keep("also mine", query=QUERY, by=eva, now=now)

    assert [found(user) for user in (clara, eva, omar, dina)] == [
        ["Waiting"],
        ["also mine", "Waiting"],
        [],
        [],
    ]


def test_whoever_loses_the_role_loses_the_view(clara, eva, hearing, now):
    saved_views.keep("Waiting", query=QUERY, shared_on=hearing, by=clara, now=now)

    eva.roles.all().delete()

    assert found(eva) == []


def test_nothing_is_shared_where_one_may_not_look(omar, hearing, now):
    with pytest.raises(refusals.NotToShare, match="You cannot share a view"):
        saved_views.keep("Door", query=QUERY, shared_on=hearing, by=omar, now=now)

    assert not SavedView.objects.exists()


def test_a_name_stands_once_for_each_whatever_its_case(clara, eva, now):
    saved_views.keep("Waiting", query=QUERY, by=clara, now=now)
    saved_views.keep("Waiting", query=QUERY, by=eva, now=now)

    with pytest.raises(refusals.ViewNameTaken, match="waiting"):
        saved_views.keep("waiting", query="q=x", by=clara, now=now)

    assert SavedView.objects.count() == 2


def test_there_is_an_end_to_them(clara, now, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 1)
    saved_views.keep("One", query=QUERY, by=clara, now=now)

    with pytest.raises(refusals.TooManyViews, match="You have 1 saved view"):
        saved_views.keep("Two", query=QUERY, by=clara, now=now)

    assert found(clara) == ["One"]


def test_its_owner_renames_it_and_shares_it(clara, eva, hearing, now):
    view = saved_views.keep("Waiting", query=QUERY, by=clara, now=now)

    saved_views.change(view, name="waiting", shared_on=hearing, by=clara)
    assert found(eva) == ["waiting"]

    saved_views.change(view, name="waiting", shared_on=None, by=clara)
    assert (found(clara), found(eva)) == (["waiting"], [])


def test_nobody_else_changes_or_removes_it(clara, eva, hearing, now):
    view = saved_views.keep("Waiting", query=QUERY, shared_on=hearing, by=clara, now=now)

    with pytest.raises(refusals.NotYourView, match="Waiting"):
        saved_views.change(view, name="Mine", shared_on=None, by=eva)
    with pytest.raises(refusals.NotYourView):
        saved_views.remove(view, by=eva)

    assert found(clara) == ["Waiting"]


def test_a_name_of_another_view_is_not_taken_in_renaming(clara, now):
    saved_views.keep("Waiting", query=QUERY, by=clara, now=now)
    other = saved_views.keep("Approved", query=QUERY, by=clara, now=now)

    with pytest.raises(refusals.ViewNameTaken):
        saved_views.change(other, name="WAITING", shared_on=None, by=clara)

    assert found(clara) == ["Approved", "Waiting"]


def test_what_is_removed_is_gone_and_the_second_time_says_so(clara, now):
    view = saved_views.keep("Waiting", query=QUERY, by=clara, now=now)
    again = SavedView.objects.get()

    saved_views.remove(view, by=clara)

    with pytest.raises(refusals.NotYourView):
        saved_views.remove(again, by=clara)
    assert found(clara) == []


@pytest.fixture
def both(clara, now, at_once, meeting_before_writing, monkeypatch):
    """What becomes of two views of one name that come in the same moment."""

    def keep() -> str:
        meeting_before_writing()
        return saved_views.keep("Waiting", query=QUERY, by=clara, now=now).name

    return lambda: sorted(str(each) for each in at_once(keep, keep))


@pytest.mark.django_db(transaction=True)
def test_of_two_of_a_name_that_come_at_once_one_is_told_so(both):
    assert both() == ["Waiting", "You have a view of this name already: Waiting"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_would_be_the_database_that_refuses(both, monkeypatch):
    def unheld(owner: User) -> SavedViewQuerySet:
        return SavedView.objects.filter(owner=owner)

    monkeypatch.setattr(saved_views, "_own", unheld)

    assert ["one_view_of_a_name_each" in each for each in both()] == [False, True]


def test_with_its_event_goes_what_was_shared_on_it(clara, process, hearing, now):
    event = Event.objects.create(
        process=process,
        slug="short",
        kind="workshop",
        name_en="Short",
        starts_on=hearing.starts_on,
        ends_on=hearing.ends_on,
        zone="UTC",
        mode="online",
    )
    saved_views.keep("Waiting", query=QUERY, shared_on=event, by=clara, now=now)

    event.delete()

    assert found(clara) == []

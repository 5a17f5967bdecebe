"""Notes, who looks after a delegation, and tags, as organisers write, find and change them."""

import html
import re

import pytest
from django.urls import reverse

from accounts.models import User
from events import roles
from registrations import assigning, notes, tagging
from registrations.admin import deciding
from registrations.models import Note
from tests.conftest import signed_in

LIST = reverse("admin:registrations_delegate_changelist")
WORDS = "Ask their embassy."


def organiser(kind: str, on, now, name: str = "Eva") -> User:
    user = User.objects.create_user(f"{name.lower()}@secretariat.example", name=name)
    roles.grant(user, on=on, kind=kind, by=None, now=now)
    return user


def url(page: str, registration, *more) -> str:
    return reverse(f"admin:registrations_registration_{page}", args=[registration.pk, *more])


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


def names(response) -> list[str]:
    return [str(delegate) for delegate in response.context["cl"].result_list]


def options(response, parameter: str) -> list[tuple]:
    changelist = response.context["cl"]
    facet = next(one for one in changelist.filter_specs if one.parameter_name == parameter)
    return [(one["display"], one["n"]) for one in facet.choices(changelist)][1:]


def test_a_note_is_written_read_and_removed(clara_in, sent, hearing, now):
    done = clara_in.post(url("note", sent), {"text": WORDS, "confirm": "yes"}, follow=True)

    assert "The note is written." in words(done)
    assert WORDS in words(done)
    reader = signed_in(organiser("reader", hearing, now)).get(url("change", sent))
    assert WORDS in words(reader)
    assert reader.context["handling_links"] == []
    note = Note.objects.get()
    removal = url("remove_note", sent, note.pk)
    assert removal in done.content.decode()
    assert removal not in reader.content.decode()
    assert WORDS in words(clara_in.get(removal))
    gone = clara_in.post(removal, {"confirm": "yes"}, follow=True)
    assert (WORDS in words(gone), "There are no notes." in words(gone)) == (False, True)
    history = words(clara_in.get(url("history", sent)))
    assert ("Note written" in history, WORDS in history) == (True, False)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2001, "a\x00b"])
def test_a_bad_note_gets_its_sentence_and_is_kept(clara_in, sent, text):
    answer = clara_in.post(url("note", sent), {"text": text, "confirm": "yes"})

    assert answer.status_code == 200
    assert answer.context["form"].errors["text"]
    assert answer.context["form"]["text"].value() == text
    assert not Note.objects.exists()


def test_the_note_of_another_is_not_there_to_be_removed(clara, clara_in, sent, hearing, now):
    note = notes.write(sent, WORDS, by=clara, now=now)
    eva_in = signed_in(organiser("reviewer", hearing, now))

    assert eva_in.get(url("remove_note", sent, note.pk)).status_code == 404
    posted = {"confirm": "yes"}
    assert eva_in.post(url("remove_note", sent, note.pk), posted).status_code == 404
    assert Note.objects.count() == 1


def test_a_delegation_is_assigned_on_its_page(clara, clara_in, sent, hearing, now):
    eva = organiser("reviewer", hearing, now)
    organiser("reader", hearing, now, "Omar")

    form = clara_in.get(url("assign", sent)).context["form"]
    assert list(form.fields["to"].queryset) == [clara, eva]
    done = clara_in.post(url("assign", sent), {"to": eva.pk, "confirm": "yes"}, follow=True)
    assert "Eva looks after the delegation now." in words(done)
    again = clara_in.post(url("assign", sent), {"to": eva.pk, "confirm": "yes"})
    assert again.context["form"].errors["to"] == ["Eva looks after this delegation already."]
    assert "As of now: Eva." in words(again)
    clara_in.post(url("assign", sent), {"to": "", "confirm": "yes"})
    sent.refresh_from_db()
    assert sent.assigned_to is None
    history = words(clara_in.get(url("history", sent)))
    assert "Looked after by: – → Eva" in history


@pytest.mark.parametrize("typed", ["7d1f1d3e-0000-4000-8000-000000000000", "x", "\x00", "9" * 400])
def test_only_one_of_them_can_be_chosen(clara_in, sent, typed):
    answer = clara_in.post(url("assign", sent), {"to": typed, "confirm": "yes"})

    assert answer.status_code == 200
    assert answer.context["form"].errors["to"]


def test_tags_are_changed_on_the_page_of_a_delegation(clara, clara_in, sent, now):
    clara_in.post(url("tags", sent), {"new": "visa، متابعة, visa,", "confirm": "yes"})

    page = clara_in.get(url("tags", sent))
    assert page.context["form"]["tags"].value() == ["visa", "متابعة"]
    typed = {"tags": ["متابعة"], "new": "Late comer", "confirm": "yes"}
    done = clara_in.post(url("tags", sent), typed, follow=True)
    assert "Tags: Late comer متابعة" in words(done)
    again = clara_in.post(url("tags", sent), {"tags": ["Late comer", "متابعة"], "confirm": "yes"})
    assert "The tags of this delegation are these already" in words(again)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"new": "x" * 31}, "new"),
        ({"new": "x" * 400}, "new"),
        ({"new": ",".join(f"t{n}" for n in range(11))}, "__all__"),
        ({"tags": ["nonsense"]}, "tags"),
    ],
)
def test_bad_tags_get_their_sentence_and_are_kept(clara, clara_in, sent, now, typed, field):
    tagging.change(sent, on=["visa"], by=clara, now=now)

    answer = clara_in.post(url("tags", sent), typed | {"confirm": "yes"})

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert [tag.word for tag in sent.tags.all()] == ["visa"]


# In the attendee list


def test_the_list_is_filtered_by_who_looks_after_a_delegation(
    clara, clara_in, sent, sent_by_bo, hearing, now
):
    eva = organiser("reviewer", hearing, now)
    assigning.assign(sent, to=clara, by=clara, now=now)

    page = clara_in.get(LIST, {"columns": "name,assigned_to"})
    assert options(page, "assigned") == [("Me", 3), ("Nobody", 1), ("Clara Weiss", 3)]
    assert "Clara Weiss" in words(page)
    people = ["Moussa Keïta", "Fatoumata Sow", "Aïssata Traoré"]
    assert names(clara_in.get(LIST, {"assigned": "mine"})) == people
    assert names(clara_in.get(LIST, {"assigned": clara.pk})) == people
    assert names(clara_in.get(LIST, {"assigned": "-"})) == ["Jun Reyes"]
    eva_in = signed_in(eva)
    assert names(eva_in.get(LIST, {"assigned": "mine"})) == []
    assert clara_in.get(LIST, {"assigned": eva.pk}).status_code == 302


def test_the_list_is_filtered_by_tags_and_counts_them(clara, clara_in, sent, sent_by_bo, now):
    tagging.change(sent, on=["visa", "VIP"], by=clara, now=now)
    tagging.change(sent_by_bo, on=["visa"], by=clara, now=now)

    page = clara_in.get(LIST, {"columns": "name,tags"})
    assert options(page, "tag") == [("VIP", 3), ("visa", 4)]
    assert words(page).count("VIP, visa") == 3
    tagged = clara_in.get(LIST, {"tag": "VIP", "role": "speaker"})
    assert names(tagged) == ["Fatoumata Sow"]
    assert options(tagged, "tag") == [("VIP", 1), ("visa", 1)]
    assert [said for said, _url in tagged.context["cl"].chips] == [
        "Role: Asks to speak",
        "Tag: VIP",
    ]
    assert clara_in.get(LIST, {"tag": "vip"}).status_code == 302


def test_at_the_door_nothing_of_it_is_seen(clara, sent, hearing, now):
    tagging.change(sent, on=["doubtful"], by=clara, now=now)
    assigning.assign(sent, to=clara, by=clara, now=now)
    omar_in = signed_in(organiser("door", hearing, now))

    page = omar_in.get(LIST, {"columns": "name,tags,assigned_to"})

    assert "doubtful" not in page.content.decode()
    assert "Clara" not in words(page)
    for query in ({"tag": "doubtful"}, {"assigned": "mine"}):
        assert omar_in.get(LIST, query).status_code in (302, 400)


def test_tags_of_other_processes_are_no_options(clara, dina_in, sent, now):
    tagging.change(sent, on=["doubtful"], by=clara, now=now)

    assert options(dina_in.get(LIST), "tag") == []
    assert dina_in.get(LIST, {"tag": "doubtful"}).status_code == 302


def chosen(*registrations) -> list[str]:
    return [str(pk) for one in registrations for pk in one.delegates.values_list("pk", flat=True)]


def act(client, action: str, registrations, **typed):
    posted = {"action": action, "_selected_action": chosen(*registrations), **typed}
    return client.post(LIST, posted, follow=bool(typed))


def test_many_are_tagged_at_once_and_untagged(clara, clara_in, sent, sent_by_bo, now):
    both = [sent, sent_by_bo]
    tagging.change(sent, on=["visa"], by=clara, now=now)

    asked = act(clara_in, "tag", both)
    assert "This concerns 2 delegations" in words(asked)
    assert asked.context["people"] == sorted(str(one) for one in both)
    done = act(clara_in, "tag", both, tags=["visa"], how="on", new="", confirm="yes")
    assert "The tags of 1 delegation are changed." in words(done)
    assert [list(map(str, one.tags.all())) for one in both] == [["visa"], ["visa"]]

    act(clara_in, "tag", both, tags=["visa"], how="off", confirm="yes")
    assert not sent.event.tags.exists()


def test_nothing_chosen_is_asked_for_again(clara_in, sent):
    answer = act(clara_in, "tag", [sent], new=" , ", how="on", confirm="yes")

    assert answer.context["form"].errors["new"] == ["Choose a tag, or write one."]


def test_what_one_delegation_refuses_is_said_and_the_others_go_on(
    clara, clara_in, sent, sent_by_bo, now
):
    tagging.change(sent, on=[f"t{n}" for n in range(10)], by=clara, now=now)

    done = act(clara_in, "tag", [sent, sent_by_bo], new="late", how="on", confirm="yes")

    assert f"{sent}: A delegation can have 10 tags at most. Take one off first." in words(done)
    assert "The tags of 1 delegation are changed." in words(done)
    alone = act(clara_in, "tag", [sent], new="late", how="on", confirm="yes")
    assert "10 tags at most" in str(alone.context["form"].errors)
    assert alone.context["form"]["new"].value() == "late"


def test_many_are_assigned_at_once(clara, clara_in, sent, sent_by_bo, hearing, now):
    eva = organiser("reviewer", hearing, now)

    done = act(clara_in, "assign", [sent, sent_by_bo], to=str(eva.pk), confirm="yes")

    assert "2 delegations are assigned." in words(done)
    assert set(eva.assigned.all()) == {sent, sent_by_bo}


def test_too_many_are_not_chosen_in_one_step(clara_in, sent, monkeypatch):
    monkeypatch.setattr(deciding, "MOST_AT_ONCE", 2)

    assert "At most 2 people can be chosen" in words(
        clara_in.post(LIST, {"action": "tag", "_selected_action": chosen(sent)}, follow=True)
    )


def test_the_columns_ask_once_each_however_many_there_are(
    clara, clara_in, sent, sent_by_bo, now, connection_queries
):
    tagging.change(sent, on=["visa"], by=clara, now=now)
    assigning.assign(sent, to=clara, by=clara, now=now)

    def look() -> None:
        clara_in.get(LIST, {"columns": "name,tags,assigned_to"})

    look()
    few = connection_queries(look)
    tagging.change(sent_by_bo, on=["visa", "late"], by=clara, now=now)
    assigning.assign(sent_by_bo, to=clara, by=clara, now=now)
    assert connection_queries(look) == few

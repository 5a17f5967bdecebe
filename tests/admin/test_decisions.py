from uuid import uuid4

import pytest
from django.urls import reverse

from audit.models import Entry
from clock import shown
from notifications.models import Letter
from registrations import intake
from registrations.models import Delegate
from tests.registrations import crowd

LIST = reverse("admin:registrations_delegate_changelist")


@pytest.fixture(autouse=True)
def no_letters(sent, sent_by_bo):
    Letter.objects.all().delete()


def people(sent) -> list[Delegate]:
    return list(sent.delegates.in_order())


def post(client, action, delegates, **typed):
    return client.post(
        LIST, {"action": action, "_selected_action": [d.pk for d in delegates], **typed}
    )


def letters() -> list[tuple[str, str]]:
    return sorted((letter.key.split(":")[0], letter.to) for letter in Letter.objects.all())


def decided(delegate) -> str:
    """Who has decided about this person, and when, as a refusal says it."""
    act = Entry.objects.about(delegate).latest("pk")
    zone = delegate.registration.event.zone
    moment = shown.moment(act.at, zone, weekday=False)
    state = Delegate.objects.get(pk=delegate.pk).get_state_display()
    return f"{delegate} ({state}: {act.actor}, {moment}, {shown.zone_name(zone, act.at)})"


def states(sent) -> list[str]:
    return [delegate.state for delegate in people(sent)]


def test_the_page_before_names_the_people_and_the_letters(clara_in, sent, sent_by_bo):
    response = post(clara_in, "approve", [*people(sent)[:2], *people(sent_by_bo)])

    assert response.context["people"] == [
        line
        for reference, lines in sorted(
            [
                (
                    sent.reference,
                    [
                        f"Aïssata Traoré, Diaspora Network ({sent.reference})",
                        f"Moussa Keïta, Diaspora Network ({sent.reference})",
                    ],
                ),
                (sent_by_bo.reference, [f"Jun Reyes, Port Workers ({sent_by_bo.reference})"]),
            ]
        )
        for line in lines
    ]
    assert "2 letters go to" in response.context["letters"]
    assert response.context["letters"].count("(Aïssata Traoré, Moussa Keïta; in English)") == 1
    assert "bo@ports.example (Jun Reyes; in English)" in response.context["letters"]
    assert states(sent) == ["submitted"] * 3
    assert letters() == []


def test_two_approved_one_declined_is_two_letters(clara_in, sent):
    first, second, third = people(sent)

    post(clara_in, "approve", [first, second], confirm="yes")
    post(clara_in, "decline", [third], confirm="yes", reason="The list is full.")

    assert states(sent) == ["approved", "approved", "declined"]
    assert letters() == [
        ("approved", "amina@diaspora.example"),
        ("declined", "amina@diaspora.example"),
    ]
    approved, declined = Letter.objects.order_by("key")
    assert "Aïssata Traoré" in approved.text
    assert "Moussa Keïta" in approved.text
    assert "Fatoumata Sow" not in approved.text
    assert "Fatoumata Sow" in declined.text
    assert "The list is full." in declined.text


def test_to_decline_needs_a_reason(clara_in, sent):
    response = post(clara_in, "decline", people(sent)[:1], confirm="yes", reason="  ")

    sentence = "Write the reason. The group reads it in its letter."
    assert response.context["form"].errors == {"reason": [sentence]}
    assert sentence in response.content.decode()
    assert states(sent) == ["submitted"] * 3
    assert letters() == []


def test_a_reason_too_long_is_kept(clara_in, sent):
    reason = "x" * 2001

    response = post(clara_in, "decline", people(sent)[:1], confirm="yes", reason=reason)

    assert reason in response.content.decode()
    assert states(sent) == ["submitted"] * 3


def test_what_was_decided_is_refused_and_the_rest_goes_on(clara_in, sent, sent_by_bo):
    first = people(sent)[0]
    post(clara_in, "approve", [first], confirm="yes")

    response = post(
        clara_in, "decline", [first, *people(sent_by_bo)], confirm="yes", reason="Too late."
    )
    page = clara_in.get(response.url)

    said = [str(message) for message in page.context["messages"]]
    assert (
        f"{sent.reference} Diaspora Network: {decided(first)} no longer waits for a decision. "
        "Nothing was changed." in said
    )
    assert "1 person is declined. The letters leave at" in page.content.decode()
    assert states(sent) == ["approved", "submitted", "submitted"]
    assert states(sent_by_bo) == ["declined"]


@pytest.mark.parametrize(("action", "field"), [("decline", "reason"), ("ask", "question")])
def test_what_was_typed_is_kept_when_a_colleague_was_quicker(
    clara_in, root_in, sent, action, field
):
    first = people(sent)[0]
    post(root_in, "approve", [first], confirm="yes")
    typed = {"confirm": "yes", field: "Long and well considered."}
    own_page = reverse(f"admin:registrations_delegate_{action}", args=[first.pk])

    for response in (post(clara_in, action, [first], **typed), clara_in.post(own_page, typed)):
        assert response.context["form"].non_field_errors() == [
            f"{sent.reference} Diaspora Network: {decided(first)} no longer waits for a decision. "
            "Nothing was changed."
        ]
        assert "Aïssata Traoré (Approved: Root, " in response.content.decode()
        page = response.content.decode()
        assert "Long and well considered." in page
        assert "no longer waits for a decision" in page
    assert states(sent) == ["approved", "submitted", "submitted"]
    assert letters() == [("approved", "amina@diaspora.example")]


def test_sending_the_page_again_does_no_harm(clara_in, sent):
    for _time in range(2):
        post(clara_in, "approve", people(sent), confirm="yes")

    assert states(sent) == ["approved"] * 3
    assert letters() == [("approved", "amina@diaspora.example")]


def test_a_question_is_asked_from_the_page_of_one_person(clara_in, sent):
    person = people(sent)[0]
    url = reverse("admin:registrations_delegate_ask", args=[person.pk])

    assert clara_in.get(url).status_code == 200
    response = clara_in.post(url, {"confirm": "yes", "question": "Who is paying?"})

    assert response.status_code == 302
    assert states(sent) == ["more_information", "submitted", "submitted"]
    assert letters() == [("asked", "amina@diaspora.example")]
    assert "Who is paying?" in clara_in.get(response.url).content.decode()


def test_all_that_a_filtered_list_holds_can_be_decided(clara_in, sent, sent_by_bo):
    url = f"{LIST}?state=submitted&registration__event__id__exact={sent.event_id}"
    page = clara_in.post(
        url,
        {
            "action": "approve",
            "select_across": "1",
            "index": "0",
            "_selected_action": [people(sent)[0].pk],
        },
    )
    ((_name, chosen),) = page.context["hidden"]
    assert len(chosen.split(",")) == 4

    clara_in.post(url, {"action": "approve", "confirm": "yes", "_selected_action": chosen})

    assert states(sent) + states(sent_by_bo) == ["approved"] * 4


def test_a_thousand_can_be_decided_in_one_step(clara_in, hearing, now):
    crowd.sent(hearing, 249, now=now, people=4)
    url = f"{LIST}?state=submitted"
    across = {
        "action": "decline",
        "select_across": "1",
        "index": "0",
        "_selected_action": [uuid4()],
    }
    ((name, chosen),) = clara_in.post(url, across).context["hidden"]

    response = clara_in.post(
        url, {"action": "decline", "confirm": "yes", "reason": "No.", name: chosen}
    )

    assert response.status_code == 302
    assert len(chosen.split(",")) == 1_000
    assert Delegate.objects.filter(state="declined").count() == 1_000

    crowd.sent(hearing, 1, now=now, people=1_001, name="More")
    page = clara_in.get(clara_in.post(url, across).url)
    assert [str(each) for each in page.context["messages"]] == [
        "At most 1000 people can be decided in one step."
    ]


def test_the_page_before_asks_no_more_for_many_delegations(
    clara_in, hearing, now, connection_queries
):
    def look(groups: list) -> int:
        people = Delegate.objects.filter(registration__in=groups)
        return connection_queries(lambda: post(clara_in, "approve", people))

    look(crowd.sent(hearing, 1, now=now))
    assert look(crowd.sent(hearing, 2, now=now, name="Few")) == look(
        crowd.sent(hearing, 9, now=now, name="Many")
    )


@pytest.mark.parametrize("ids", ["a,b", ",", "x" * 300, "\x00"])
def test_whatever_else_is_posted_chooses_nobody(clara_in, sent, ids):
    post(clara_in, "approve", [], confirm="yes")
    response = clara_in.post(LIST, {"action": "approve", "_selected_action": ids, "confirm": "yes"})

    assert response.status_code == 302
    assert states(sent) == ["submitted"] * 3


def test_drafts_are_not_in_the_list(clara_in, sent, sent_by_bo, amina, now):
    intake.withdraw(sent, by=amina, now=now)
    intake.begin(sent.event, sent.organisation, by=amina, now=now)

    names = [delegate.representative.family_name for delegate in listed(clara_in)]
    assert names == ["Reyes"]


def listed(client):
    return client.get(LIST).context["cl"].result_list


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=keïta", ["Keïta"]),
        ("q=port", ["Reyes"]),
        ("role=head", ["Traoré"]),
        ("category=trade_union", ["Reyes"]),
        ("state=approved", []),
        ("", ["Keïta", "Reyes", "Sow", "Traoré"]),
    ],
)
def test_people_are_found(clara_in, query, names):
    found = clara_in.get(f"{LIST}?{query}").context["cl"].result_list
    assert [delegate.representative.family_name for delegate in found] == names


def test_people_are_found_by_reference(clara_in, sent_by_bo):
    found = clara_in.get(LIST, {"q": sent_by_bo.reference}).context["cl"].result_list
    assert [str(delegate) for delegate in found] == ["Jun Reyes"]


def test_a_decision_is_taken_back_with_a_reason_and_taken_anew(clara_in, sent):
    first, second, _third = people(sent)
    post(clara_in, "decline", [first], confirm="yes", reason="Too late.")
    own = reverse("admin:registrations_delegate_change", args=[first.pk])
    assert "Take the decision back" in clara_in.get(own).content.decode()

    asked = post(clara_in, "reopen", [first]).content.decode()
    assert "A seat that one of them had goes at once to the first who waits for it" in asked
    assert "amina@diaspora.example" in asked
    empty = post(clara_in, "reopen", [first], confirm="yes", reason=" ")
    assert empty.context["form"].errors == {
        "reason": ["Write the reason. The group reads it in its letter."]
    }
    undecided = post(clara_in, "reopen", [second], confirm="yes", reason="We erred.")
    assert "Moussa Keïta (Being checked) is neither approved nor declined." in (
        undecided.content.decode()
    )
    done = clara_in.get(post(clara_in, "reopen", [first], confirm="yes", reason="We erred.").url)

    assert "1 person waits for a decision again. The letters leave" in done.content.decode()
    assert states(sent) == ["submitted"] * 3
    post(clara_in, "approve", [first], confirm="yes")
    assert states(sent) == ["approved", "submitted", "submitted"]

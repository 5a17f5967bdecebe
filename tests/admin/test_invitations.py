"""Many groups are invited at once; every line is answered for."""

import pytest
from django.urls import reverse

from notifications.models import Letter
from registrations.admin import invitations
from registrations.admin.invitations import MOST_AT_ONCE
from registrations.models import Invitation

LIST = reverse("admin:registrations_invitation_changelist")


@pytest.fixture
def url(hearing) -> str:
    return reverse("admin:events_event_invite", args=[hearing.pk])


def shown(client, url, groups):
    return client.post(url, {"groups": groups, "language": "en", "confirm": "yes"})


def confirmed(client, url, page, groups):
    hidden = dict(page.context["hidden"])
    return client.post(url, {"groups": groups, "language": "en", **hidden, "confirm": "yes"})


GROUPS = """
Diaspora Network <amina@diaspora.example>
  bo@ports.example
Harbour Union, North <NADIA@harbour.example>
"مركز، الهجرة" <layla@bridge.example>
"""


def test_each_line_is_looked_at_before_a_letter_goes(clara_in, invitation, hearing, url):
    page = shown(clara_in, url, GROUPS)

    assert [
        (line.number, line.name, line.email, line.is_known) for line in page.context["lines"]
    ] == [
        (2, "Diaspora Network", "amina@diaspora.example", False),
        (3, "", "bo@ports.example", False),
        (4, "Harbour Union, North", "NADIA@harbour.example", True),
        (5, "مركز، الهجرة", "layla@bridge.example", False),
    ]
    assert page.context["letters"] == (
        "3 letters go out. 1 group is invited already: it gets no second letter."
    )
    assert Invitation.objects.count() == 1

    after = clara_in.get(confirmed(clara_in, url, page, GROUPS).url)

    assert [str(message) for message in after.context["messages"]] == [
        "3 groups are invited. 1 was invited before."
    ]
    assert Invitation.objects.filter(event=hearing).count() == 4
    assert Letter.objects.filter(to="layla@bridge.example").count() == 1
    confirmed(clara_in, url, shown(clara_in, url, GROUPS), GROUPS)
    assert Letter.objects.count() == 3


def test_a_bad_line_is_said_beside_it_and_nobody_is_invited(clara_in, url):
    groups = "a@b.example\nnot an address\nGroup <>\nA@B.example\n" + "x" * 300 + " <c@d.example>"

    page = shown(clara_in, url, groups)

    assert page.context["form"].errors["groups"] == [
        "Line 2: “not an address” is no email address.",
        "Line 3: “Group &lt;&gt;” is no email address.".replace("&lt;", "<").replace("&gt;", ">"),
        "Line 4: this address stands in line 1 already. Take one of them out.",
        "Line 5: the name is longer than 255 letters.",
    ]
    html = page.content.decode()
    assert "not an address" in html
    assert "Gets a letter" in html
    assert html.count("Not understood") == 4
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "name", "email"),
    [
        ("a@b.example", "", "a@b.example"),
        ("<a@b.example>", "", "a@b.example"),
        ('"Lee, Kim" <a@b.example>', "Lee, Kim", "a@b.example"),
        (r'"The \"Ports\"" <a@b.example>', 'The "Ports"', "a@b.example"),
        ("Ports (north) <a@b.example>", "Ports (north)", "a@b.example"),
        ("A <b> <a@b.example>", "A <b>", "a@b.example"),
        ("Ports < a@b.example > ", "Ports", "a@b.example"),
        ("(" * 5000 + "<a@b.example>", "(" * 5000, "a@b.example"),
        ("(" * 5000, "", "(" * 5000),
        ("Ports <a@b.example", "Ports", "a@b.example"),
    ],
)
def test_a_line_is_a_name_and_an_address(hearing, typed, name, email):
    (line,) = invitations.read(typed, hearing)

    assert (line.name, line.email) == (name, email)


def test_what_was_changed_after_the_look_is_looked_at_again(clara_in, url):
    page = shown(clara_in, url, "a@b.example")

    again = confirmed(clara_in, url, page, "a@b.example\nc@d.example")

    assert again.status_code == 200
    assert len(again.context["lines"]) == 2
    assert Invitation.objects.count() == 0


def test_too_many_at_once_are_refused(clara_in, url):
    groups = "\n".join(f"{n}@b.example" for n in range(MOST_AT_ONCE + 1))

    page = shown(clara_in, url, groups)

    assert page.context["form"].errors["groups"] == [
        "At most 2000 groups can be invited in one step."
    ]


def test_the_event_may_refuse(clara_in, deadline, hearing, url, now):
    deadline.closes_at = now
    deadline.save()

    page = shown(clara_in, url, "a@b.example")
    refused = confirmed(clara_in, url, page, "a@b.example")

    assert "Registration closed on" in refused.context["form"].non_field_errors()[0]
    assert "a@b.example" in refused.content.decode()


def test_what_became_of_each_is_in_the_list(clara_in, hearing, sent, invitation, now):
    def invite(email, **more):
        Invitation.objects.create(event=hearing, email=email, language="en", sent_at=now, **more)

    invite("AMINA@diaspora.example")
    invite("bo@ports.example", declined_at=now)

    def listed(stand):
        page = clara_in.get(LIST, {"stand": stand})
        return [one.email for one in page.context["cl"].result_list]

    assert listed("unanswered") == ["nadia@harbour.example"]
    assert listed("registered") == ["AMINA@diaspora.example"]
    assert listed("declined") == ["bo@ports.example"]
    html = clara_in.get(LIST).content.decode()
    for tag in ("No answer yet", "Registered", "Does not come"):
        assert f">{tag}</span>" in html


def test_the_list_asks_as_much_for_many_as_for_one(
    clara_in, hearing, invitation, now, django_assert_max_num_queries, connection_queries
):
    few = connection_queries(lambda: clara_in.get(LIST))
    Invitation.objects.bulk_create(
        Invitation(event=hearing, email=f"{n}@b.example", language="en", sent_at=now)
        for n in range(20)
    )
    assert connection_queries(lambda: clara_in.get(LIST)) == few

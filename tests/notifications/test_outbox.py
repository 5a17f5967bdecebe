import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from notifications import bell, outbox
from notifications.models import Kind, Letter, State
from tests.notifications.conftest import NOON

PLAIN = {"language": "en", "text": "Text", "html": "", "kind": Kind.REMINDER, "now": NOON}


@pytest.mark.django_db
def test_a_letter_is_a_row_that_waits(post):
    scope, about = uuid.uuid4(), uuid.uuid4()
    later = NOON + timedelta(hours=1)

    post("received:1", scope=scope, about=about, not_before=later, headers={"X-Event": "hearing"})

    letter = Letter.objects.get()
    assert (letter.key, letter.state, letter.attempts) == ("received:1", State.QUEUED, 0)
    assert (letter.posted_at, letter.next_attempt_at) == (NOON, later)
    assert (letter.scope, letter.about) == (scope, about)
    assert letter.headers == {"X-Event": "hearing"}


@pytest.mark.django_db
def test_the_same_key_is_never_posted_twice(post):
    first = post("received:1", subject="First")

    again = outbox.post(key="received:1", to="bo@ports.example", subject="Second", **PLAIN)

    assert again is None
    assert list(Letter.objects.values_list("pk", "subject")) == [(first.pk, "First")]


@pytest.mark.django_db(transaction=True)
def test_two_who_post_the_same_key_at_once_write_one_letter():
    results, both_ready = [], threading.Barrier(2)

    def knock(subject: str) -> None:
        with transaction.atomic():
            both_ready.wait(timeout=5)
            to = "amina@diaspora.example"
            results.append(outbox.post(key="received:1", to=to, subject=subject, **PLAIN))
        connection.close()

    threads = [threading.Thread(target=knock, args=[name]) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert len(results) == 2
    assert [letter.pk for letter in results if letter] == [Letter.objects.get().pk]


@pytest.mark.django_db(transaction=True)
def test_two_who_post_the_same_thousands_at_once_write_each_letter_once():
    results, both_ready = [], threading.Barrier(2)

    def knock(first: int) -> None:
        letters = [
            outbox.write(key=f"reminder:{n}", to="bo@ports.example", subject="Soon", **PLAIN)
            for n in range(first, first + 2000)
        ]
        with transaction.atomic():
            both_ready.wait(timeout=5)
            results.append(outbox.post_many(letters))
        connection.close()

    threads = [threading.Thread(target=knock, args=[first]) for first in (0, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert sorted(results) == [1000, 2000]
    assert Letter.objects.count() == 3000


@pytest.mark.django_db(transaction=True)
def test_a_letter_goes_back_with_its_transaction(post):
    with transaction.atomic():
        post("received:1")
        transaction.set_rollback(True)

    assert not Letter.objects.exists()


@pytest.mark.django_db
def test_the_bell_rings_after_the_commit_and_only_for_news(
    post, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as rung:
        post("received:1")
    assert rung == [bell.ring]

    with django_capture_on_commit_callbacks() as rung:
        outbox.post(key="received:1", to="amina@diaspora.example", subject="Again", **PLAIN)
    assert rung == []


@pytest.mark.django_db
def test_many_letters_are_posted_at_once_and_the_new_ones_counted(
    post, django_capture_on_commit_callbacks, django_assert_max_num_queries
):
    post("reminder:7")

    def reminders() -> list[Letter]:
        return [
            outbox.write(key=f"reminder:{n}", to=f"group{n}@example.org", subject="Soon", **PLAIN)
            for n in range(2500)
        ]

    with (
        django_capture_on_commit_callbacks() as rung,
        django_assert_max_num_queries(8),
    ):
        assert outbox.post_many(reminders()) == 2499

    assert Letter.objects.count() == 2500
    assert rung == [bell.ring]
    assert outbox.post_many(reminders()) == 0
    assert outbox.post_many(iter([])) == 0


@pytest.mark.django_db
def test_thousands_that_are_new_go_straight_into_the_table(django_assert_num_queries):
    letters = [
        outbox.write(key=f"reminder:{n}", to="bo@ports.example", subject="Soon", **PLAIN)
        for n in range(2500)
    ]

    with django_assert_num_queries(3) as asked:
        assert outbox.post_many(letters) == 2500

    assert [query["sql"].split()[0] for query in asked.captured_queries] == [
        "SAVEPOINT",
        "copy",
        "RELEASE",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, outbox.FEW + 1])
def test_letters_are_kept_word_for_word_however_many_are_posted(number):
    words = "Tab\t back\\slash \\. \\N\r\nline “quoted” {brace} جلسة \x01 \u2028 \U0001f600"
    letters = [
        outbox.write(
            **{**PLAIN, "text": f"{words}\x00", "html": f"<p>{words}</p>"},
            key=f"{words}:{n}",
            to=f"group{n}@example.org",
            subject="جلسة \\N",
            headers={"X-Event": 'a\\b "c"'},
            scope=uuid.uuid4(),
            reply_to="desk@example.org",
            expires_at=NOON + timedelta(hours=1),
        )
        for n in range(number)
    ]

    assert outbox.post_many(letters) == number

    kept = {letter.pk: letter for letter in Letter.objects.all()}
    names = [field.attname for field in Letter._meta.concrete_fields]
    for letter in letters:
        for name in names:
            assert getattr(kept[letter.pk], name) == getattr(letter, name), name
    assert kept[letters[0].pk].text == words


@pytest.mark.django_db
def test_keys_that_are_there_already_or_twice_are_counted_once(post):
    post("reminder:0")
    keys = [f"reminder:{n % 300}" for n in range(600)]
    letters = [
        outbox.write(key=key, to="amina@diaspora.example", subject="Soon", **PLAIN) for key in keys
    ]

    assert outbox.post_many(letters) == 299
    assert Letter.objects.count() == 300


@pytest.mark.django_db
def test_many_may_be_posted_twice_in_one_transaction():
    def reminders(begin: str) -> list[Letter]:
        return [
            outbox.write(key=f"{begin}:{n}", to="bo@ports.example", subject="Soon", **PLAIN)
            for n in range(outbox.FEW + 1)
        ]

    with transaction.atomic():
        assert outbox.post_many(reminders("a")) == outbox.FEW + 1
        assert outbox.post_many(reminders("b")) == outbox.FEW + 1


@pytest.mark.django_db(transaction=True)
def test_many_go_back_with_their_transaction():
    with transaction.atomic():
        outbox.post_many(
            outbox.write(key=f"a:{n}", to="bo@ports.example", subject="Soon", **PLAIN)
            for n in range(outbox.FEW + 1)
        )
        transaction.set_rollback(True)

    assert not Letter.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Hearing\r\nBcc: everybody@example.org", "Hearing Bcc: everybody@example.org"),
        ("Hearing\nof\x0b21\x85February\u2028", "Hearing of 21 February"),
        ("=?utf-8?q?a=0D=0ABcc:_everybody@example.org?=", None),
        ("جلسة الاستماع", "جلسة الاستماع"),
        ("Nul\x00", "Nul"),
    ],
)
def test_a_subject_stays_on_one_line(post, typed, kept):
    if kept is None:
        kept = typed.replace("=?", "= ?")

    assert post(subject=typed).subject == kept


@pytest.mark.parametrize(
    "address",
    [
        "amina@diaspora.example\r\nBcc: everybody@example.org",
        "amina@diaspora.example\n",
        "amina@diaspora.example, bo@ports.example",
        "Amina <amina@diaspora.example>",
        "amina@diaspora.example\x00",
        "amina",
        "",
    ],
)
def test_what_is_not_one_address_is_refused(post, address):
    with pytest.raises(ValueError, match="Not an e-mail address"):
        post(to=address)
    if address:
        with pytest.raises(ValueError, match="Not an e-mail address"):
            post(reply_to=address)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Event": "hearing\r\nBcc: everybody@example.org"},
        {"X-Event\nBcc": "everybody@example.org"},
        {"X-Event: a": "b"},
        {"bcc": "everybody@example.org"},
        {"Subject": "Another"},
        {"Content-Type": "text/html"},
        {"X-Event": "جلسة"},
        {"X-Event": ""},
    ],
)
def test_headers_that_could_inject_or_replace_are_refused(post, headers):
    with pytest.raises(ValueError, match="Not a header"):
        post(headers=headers)


@pytest.mark.django_db
def test_characters_that_the_database_refuses_are_left_out(post):
    letter = post(text="One\x00 two", html="<p>One\x00 two</p>")

    assert (letter.text, letter.html) == ("One two", "<p>One two</p>")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"state": State.SENT}, "letter_sent_says_when"),
        ({"sent_at": NOON}, "letter_sent_says_when"),
        ({"state": State.FAILED}, "letter_ended_says_when"),
        ({"ended_at": NOON}, "letter_ended_says_when"),
        ({"state": State.SENDING}, "letter_sending_is_claimed"),
        ({"claim": uuid.uuid4()}, "letter_sending_is_claimed"),
        ({"state": "lost"}, "letter_state_is_known"),
        ({"kind": 9}, "letter_kind_is_known"),
        ({"to": "a@example.org\nBcc: b@example.org"}, "letter_headers_on_one_line"),
        ({"subject": "Hearing\rBcc: b@example.org"}, "letter_headers_on_one_line"),
    ],
)
def test_the_database_refuses_a_letter_that_contradicts_itself(post, changes, rule):
    letter = post()

    with pytest.raises(IntegrityError, match=rule):
        Letter.objects.filter(pk=letter.pk).update(**changes)


@pytest.mark.django_db
def test_what_is_gathered_is_posted_by_whoever_gathers_it(post):
    with outbox.gathered() as outer:
        post("a")
        with outbox.gathered() as inner:
            post("b")
    post("c")

    assert [[letter.key for letter in letters] for letters in (outer, inner)] == [["a"], ["b"]]
    assert [letter.key for letter in Letter.objects.all()] == ["c"]


@pytest.mark.django_db
def test_what_is_gathered_when_it_goes_wrong_is_forgotten(post):
    def go_wrong() -> None:
        with outbox.gathered():
            post("a")
            raise LookupError

    with pytest.raises(LookupError):
        go_wrong()
    post("b")

    assert [letter.key for letter in Letter.objects.all()] == ["b"]


@pytest.mark.django_db
def test_held_letters_wait_but_for_those_that_would_come_too_late(post):
    later = NOON + timedelta(minutes=5)
    with outbox.gathered() as letters:
        post("a")
        post("b", expires_at=later)

    assert outbox.post_held(letters, until=later) == 2

    due = dict(Letter.objects.values_list("key", "next_attempt_at"))
    assert due == {"a": later, "b": NOON}

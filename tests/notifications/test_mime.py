"""What a letter is on the wire, and what a mail program makes of it."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import SMTP

import pytest

from notifications import mime
from notifications.models import Letter

LONGEST_LINE = 78  # RFC 5322, 2.1.1
SUBJECTS = [
    "Registration closes tomorrow",
    "Вы больше не состоите в организации: Сеть диаспор и трудящихся-мигрантов",
    "Vous n’en faites plus partie : فاطمة الزهراء",
    "لم تعد عضوًا في المنظمة: شبكة الجاليات والعمال المهاجرين في الخارج",
    "您已不再是该组织的成员：全球移民工人协会联合会国际秘书处与各地区办事处代表团",
    "é " * 200 + "é",
    "=?utf-8?q?not_encoded?= é",
]


def letter(**facts) -> Letter:
    return Letter(
        **{
            "to": "amina@diaspora.example",
            "subject": "Hello",
            "text": "Hello",
            "language": "en",
            "posted_at": datetime(2018, 2, 7, tzinfo=UTC),
            "headers": {},
            **facts,
        }
    )


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_read_as_it_was_written_also_where_its_line_is_broken(subject):
    raw = mime.message(letter(subject=subject))

    read = message_from_bytes(raw)["Subject"]
    assert str(make_header(decode_header(read))) == subject
    assert message_from_bytes(raw, policy=SMTP)["Subject"] == subject
    assert max(map(len, raw.split(b"\r\n"))) <= LONGEST_LINE


def test_the_sender_may_have_a_long_name_in_any_script(settings):
    name = "Портал регистрации заинтересованных сторон Глобального договора о миграции"
    settings.EMAIL_FROM = f"{name} <portal@example.org>"
    mime._line.cache_clear()

    raw = mime.message(letter())

    words, encoded, address = message_from_bytes(raw)["From"].rpartition("?=")
    assert str(make_header(decode_header(words + encoded))) == name
    assert address == " <portal@example.org>"
    mime._line.cache_clear()


@pytest.mark.parametrize("facts", [{"subject": "é\r\nBcc: all@example.org"}, {"to": "a\nb@x.org"}])
def test_what_would_be_another_header_is_no_letter(facts):
    with pytest.raises(ValueError, match=r"More than one line|Not an address"):
        mime.message(letter(**facts))

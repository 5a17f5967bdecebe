"""Django's own mail (sign-in codes above all) goes through the outbox like every letter."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import get_language

import clock
from notifications import models, outbox


class OutboxBackend(BaseEmailBackend):
    """Posts each message as a secret letter that expires with the code in it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = clock.now()
        return outbox.post_many(
            letter for message in email_messages for letter in _letters(message, now)
        )


def _letters(message: EmailMessage, now: datetime) -> list[models.Letter]:
    return [
        outbox.write(
            key=f"mail:{uuid.uuid4()}",
            to=parseaddr(recipient)[1],
            language=get_language() or settings.LANGUAGE_CODE,
            subject=str(message.subject),
            text=str(message.body),
            html=_html(message),
            kind=models.Kind.SECRET,
            now=now,
            expires_at=now + timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT),
            reply_to=parseaddr(message.reply_to[0])[1] if message.reply_to else "",
        )
        for recipient in message.recipients()
    ]


def _html(message: EmailMessage) -> str:
    alternatives = getattr(message, "alternatives", [])
    return next((content for content, kind in alternatives if kind == "text/html"), "")

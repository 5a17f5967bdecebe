import hashlib
import re
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Upper
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

LINE_BREAK = r"[\r\n]"
SIGNED = re.compile(r"(https?://\S*?[/=])[^\s/?&=]*(?::|%3A)[\w-]{20,}[^\s<>\"]*")


class Kind(models.IntegerChoices):
    """What a letter is for; the lower number leaves the house first."""

    SECRET = 1, _("sign-in code")
    TRANSACTIONAL = 2, _("answer")
    REMINDER = 3, _("reminder")
    ANNOUNCEMENT = 4, _("announcement")


class State(models.TextChoices):
    QUEUED = "queued", _("waiting")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    HELD = "held", _("held")
    SUPPRESSED = "suppressed", _("not wanted there")


PENDING = (State.QUEUED, State.SENDING, State.HELD)
GONE = (State.SENDING, State.SENT, State.FAILED)
"""They have left, or may have."""
ENDED = (State.FAILED, State.CANCELLED, State.EXPIRED, State.SUPPRESSED)


def without_codes() -> dict[str, Case]:
    """For updates that end a letter: its words stay, but a code is wiped (in a demo, later)."""
    if settings.DEMO:
        return {}
    return {
        part: Case(
            When(kind=Kind.SECRET, then=Value("")), default=F(part), output_field=models.TextField()
        )
        for part in ("text", "html")
    }


class LetterQuerySet(models.QuerySet["Letter"]):
    def due(self, now: datetime) -> "LetterQuerySet":
        return self.filter(state=State.QUEUED, next_attempt_at__lte=now).filter(
            Q(expires_at=None) | Q(expires_at__gt=now)
        )

    def pending(self) -> "LetterQuerySet":
        return self.filter(state__in=PENDING)

    def failed(self) -> "LetterQuerySet":
        return self.filter(state=State.FAILED)

    def untrue(self, now: datetime) -> "LetterQuerySet":
        """Still waiting or held, although what they say no longer holds."""
        return self.filter(state__in=[State.QUEUED, State.HELD], expires_at__lte=now)

    def unreported(self) -> "LetterQuerySet":
        """They did not arrive, and no organiser has been told."""
        return self.filter(state__in=[State.FAILED, State.SUPPRESSED], reported_at=None)

    def about(self, *subjects: uuid.UUID) -> "LetterQuerySet":
        return self.filter(about__in=subjects)

    def in_scope(self, *scopes: uuid.UUID) -> "LetterQuerySet":
        return self.filter(scope__in=scopes)

    def to(self, address: str) -> "LetterQuerySet":
        return self.filter(to__iexact=address)

    def end(self, state: State, *, now: datetime, said: Any = "", waits: bool = True) -> int:
        """End these before they leave; how many. Without `waits`, not those that are in use."""
        with transaction.atomic():
            held = self.order_by("pk").select_for_update(skip_locked=not waits)
            return Letter.objects.filter(pk__in=list(held.values_list("pk", flat=True))).update(
                state=state,
                ended_at=now,
                claim=None,
                claimed_until=None,
                last_error=said,
                **without_codes(),
            )


class Letter(models.Model):
    """One e-mail to one person: written with the change it tells of, sent afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(_("key"), max_length=500, unique=True)
    to = models.EmailField(_("to"))
    reply_to = models.EmailField(_("reply to"), blank=True)
    language = models.CharField(_("language"), max_length=10)
    subject = models.TextField(_("subject"))
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=Kind)
    scope = models.UUIDField(_("whose event"), null=True, blank=True)
    about = models.UUIDField(_("about"), null=True, blank=True)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    posted_at = models.DateTimeField(_("posted at"))
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    claim = models.UUIDField(null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    reported_at = models.DateTimeField(_("reported to the organisers"), null=True, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes = [
            models.Index(
                fields=["kind", "posted_at"], condition=Q(state="queued"), name="letter_due"
            ),
            models.Index(
                fields=["claimed_until"], condition=Q(state="sending"), name="letter_claimed_until"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(kind=1) & ~Q(text=""),
                name="letter_readable_secret",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=["queued", "held"]),
                name="letter_expiring",
            ),
            models.Index(fields=["ended_at"], condition=Q(state="failed"), name="letter_failed"),
            models.Index(
                fields=["scope"],
                condition=Q(state__in=["failed", "suppressed"], reported_at=None),
                name="letter_unreported",
            ),
            models.Index(fields=["about"], name="letter_about"),
            models.Index(fields=["scope", "-posted_at"], name="letter_scope"),
            models.Index(Upper("to"), name="letter_to"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[*PENDING, State.SENT, *ENDED]), name="letter_state_is_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="letter_kind_is_known"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | Q(state="failed")
                | (~Q(state__in=["sent", "failed"]) & Q(sent_at=None)),
                name="letter_sent_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False)
                | (~Q(state__in=ENDED) & Q(ended_at=None)),
                name="letter_ended_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="sending", claim__isnull=False, claimed_until__isnull=False)
                | (~Q(state="sending") & Q(claim=None, claimed_until=None)),
                name="letter_sending_is_claimed",
            ),
            models.CheckConstraint(
                condition=~Q(to__regex=LINE_BREAK)
                & ~Q(reply_to__regex=LINE_BREAK)
                & ~Q(subject__regex=LINE_BREAK),
                name="letter_headers_on_one_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"

    @property
    def is_secret(self) -> bool:
        return self.kind == Kind.SECRET

    @property
    def message_id(self) -> str:
        """The same for every copy of this letter, so that a mailbox shows it once."""
        digest = hashlib.sha256(self.key.encode()).hexdigest()[:32]
        return f"<{digest}@{urlsplit(settings.BASE_URL).hostname}>"

    def shown_text(self) -> str:
        """The words, without what would let a reader act as the recipient."""
        if settings.DEMO:
            return self.text or gettext("(a sign-in code; it is no longer valid)")
        if self.is_secret:
            return gettext("(a sign-in code; not shown)")
        return SIGNED.sub(r"\1…", self.text)


class Heartbeat(models.Model):
    """When a process that nobody looks at was last seen at work."""

    WORKER = "worker"
    BEAT = "beat"

    name = models.CharField(primary_key=True, max_length=20)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"

    @staticmethod
    def mark(*names: str, now: datetime) -> None:
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=name, at=now) for name in sorted(names)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at"],
        )


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of(self, address: str) -> "SuppressionQuerySet":
        return self.filter(email__iexact=address)

    def add(self, address: str, *, reason: str, said: str, now: datetime) -> bool:
        """Send nothing more there, what is on its way neither, but for codes. False when that is
        so already."""
        with transaction.atomic():
            row = self.model(email=address, reason=reason, said=said, since=now)
            self.bulk_create([row], ignore_conflicts=True)
            Letter.objects.to(address).filter(state__in=[State.QUEUED, State.SENDING]).exclude(
                kind=Kind.SECRET
            ).end(State.SUPPRESSED, now=now, said=said, waits=False)
            return self.of(address).filter(since=now).exists()


class Suppression(models.Model):
    """An address to which nothing is sent any more, because letters came back or were complained
    of, until an organiser lifts it."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", _("letters come back")
        COMPLAINT = "complaint", _("marked as unwanted")

    email = models.EmailField(_("email address"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    said = models.TextField(_("what the mail server said"), blank=True)
    since = models.DateTimeField(_("since"))

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [models.UniqueConstraint(Upper("email"), name="suppressed_once")]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_reason_display()}"


class PreferenceQuerySet(models.QuerySet["Preference"]):
    def against(self, letter: Letter) -> "PreferenceQuerySet":
        """Those by which this letter is not wanted where it goes."""
        fitting = self.filter(email__iexact=letter.to, kind=letter.kind)
        return fitting.filter(Q(scope=letter.scope) | Q(scope=None))


class Preference(models.Model):
    """What an address does not want: letters of this kind, about this event (no scope: of none)."""

    email = models.EmailField(_("email address"))
    scope = models.UUIDField(_("whose event"), null=True)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=Kind)
    since = models.DateTimeField(_("since"))

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [
            models.UniqueConstraint(
                Upper("email"), "scope", "kind", name="one_preference_each", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(kind__in=[3, 4]), name="answers_always_go"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_kind_display()}"

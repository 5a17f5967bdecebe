"""What the organisers of an event ask, beside what every registration asks."""

import uuid
from collections.abc import Collection, Iterable

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from translated_fields import to_attribute

from events.models.meetings import Event
from events.texts import CODES, SOURCE, translated


class QuestionQuerySet(models.QuerySet["Question"]):
    def asked(self) -> "QuestionQuerySet":
        return self.filter(retired_at=None)

    def of_each(self, whom: str) -> "QuestionQuerySet":
        """Those for each delegation, or for each person."""
        return self.filter(asked_of=whom)

    def in_order(self) -> "QuestionQuerySet":
        """As they stand in the form, with what can be chosen."""
        options = Option.objects.order_by("position", "id")
        ordered = self.order_by("asked_of", "position", "id")
        return ordered.prefetch_related(models.Prefetch("options", options))


class Question(models.Model):
    """Of whom it is asked and how it is answered stays; its words may change, and each answer keeps
    those that it was asked in."""

    class Of(models.TextChoices):
        DELEGATION = "delegation", _("Once for each delegation")
        PERSON = "person", _("Once for each person")

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        LONG_TEXT = "long_text", _("Long text")
        CHOICE = "choice", _("One of several choices")
        CHOICES = "choices", _("Any of several choices")
        YES_NO = "yes_no", _("Yes or no")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        COUNTRY = "country", _("Country")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="questions", verbose_name=_("event")
    )
    asked_of = models.CharField(_("asked"), max_length=10, choices=Of)
    kind = models.CharField(_("kind of answer"), max_length=10, choices=Kind)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    wording = translated(models.CharField(_("question"), max_length=300, blank=True), blank=False)
    help = translated(models.CharField(_("help"), max_length=500, blank=True))
    is_required = models.BooleanField(_("must be answered"), default=False)
    is_sensitive = models.BooleanField(_("sensitive"), default=False)
    shown_when = models.ForeignKey(
        "Option",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="shows",
        verbose_name=_("asked only when this is chosen"),
    )
    retired_at = models.DateTimeField(_("no longer asked since"), null=True, blank=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")

    def __str__(self) -> str:
        return self.wording

    @property
    def in_english(self) -> str:
        return getattr(self, to_attribute("wording", SOURCE))

    @property
    def has_options(self) -> bool:
        return self.kind in CHOSEN

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None

    @property
    def choosable(self) -> list["Option"]:
        """Reads what a prefetch has brought."""
        return [option for option in self.options.all() if not option.is_retired]

    @property
    def wordings(self) -> set[str]:
        return {getattr(self, to_attribute("wording", code)) for code in CODES}


CHOSEN = {Question.Kind.CHOICE, Question.Kind.CHOICES, Question.Kind.YES_NO}


class Option(models.Model):
    """What can be chosen as an answer; of yes and no, the portal knows the words."""

    class Fixed(models.TextChoices):
        YES = "yes", _("Yes")
        NO = "no", _("No")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, related_name="options", verbose_name=_("question")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = translated(models.CharField(_("choice"), max_length=120, blank=True), blank=False)
    fixed = models.CharField(max_length=3, choices=Fixed, blank=True, editable=False)
    limit = models.PositiveIntegerField(_("how many may choose it"), null=True, blank=True)
    retired_at = models.DateTimeField(_("no longer offered since"), null=True, blank=True)

    class Meta:
        verbose_name = _("choice")
        verbose_name_plural = _("choices")
        constraints = [
            models.UniqueConstraint(
                "question",
                "name_en",
                condition=Q(retired_at=None),
                name="one_choice_of_a_name",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_fixed_display()) if self.fixed else self.name

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None

    @property
    def in_english(self) -> str:
        return getattr(self, to_attribute("name", SOURCE))

    @property
    def names(self) -> set[str]:
        return {getattr(self, to_attribute("name", code)) for code in CODES}


def to_answer(
    questions: Iterable[Question],
    chosen: Collection[uuid.UUID],
    already: Collection[uuid.UUID] = (),
) -> list[Question]:
    """Of these, in their order, those that are asked of somebody who has chosen these options: what
    was chosen in a question that is itself not asked asks for nothing. `already`: what was chosen
    in others."""
    found, counted = list[Question](), set(already)
    for question in questions:
        if question.shown_when_id is None or question.shown_when_id in counted:
            found.append(question)
            counted |= {option.pk for option in question.options.all()} & set(chosen)
    return found

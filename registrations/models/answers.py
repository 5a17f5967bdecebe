"""What groups answer to the questions of the organisers."""

import uuid
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from clock import shown
from events import texts
from events.models import Question
from registrations.models.delegates import GONE, Delegate
from registrations.models.delegations import Registration


class AnswerQuerySet(models.QuerySet["Answer"]):
    def standing(self) -> "AnswerQuerySet":
        """Of those who were sent and may still come: these take up what an option is limited to."""
        sent = self.filter(registration__sent_at__isnull=False, registration__withdrawn_at=None)
        states = [*GONE, Delegate.State.WITHDRAWN, Delegate.State.DRAFT]
        return sent.filter(Q(delegate=None) | ~Q(delegate__state__in=states))

    def in_order(self) -> "AnswerQuerySet":
        return self.order_by("question__position", "question")


class Answer(models.Model):
    """What one delegation, or one of its people, has answered; with the words of the question and
    of the options as they were, in the language in which it was answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="answers")
    delegate = models.ForeignKey(
        Delegate, on_delete=models.CASCADE, null=True, related_name="answers"
    )
    question = models.ForeignKey(
        Question, on_delete=models.PROTECT, related_name="answers", verbose_name=_("question")
    )
    text = models.TextField(_("answer"), max_length=4000, blank=True)
    """What was written; of a day, a number and a country, in the form that computers share."""
    options = ArrayField(models.UUIDField(), default=list, blank=True)
    asked_as = models.TextField(_("asked as"))
    chosen_as = ArrayField(models.TextField(), default=list, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"))

    objects = AnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(
                "question",
                "delegate",
                condition=Q(delegate__isnull=False),
                name="one_answer_of_a_person",
            ),
            models.UniqueConstraint(
                "question",
                "registration",
                condition=Q(delegate=None),
                name="one_answer_of_a_delegation",
            ),
            models.CheckConstraint(
                condition=~Q(text="") | ~Q(options=[]), name="answered_with_something"
            ),
        ]
        indexes = [GinIndex(fields=["options"], name="answers_by_option")]

    def __str__(self) -> str:
        return said_as(self.question, self.options or self.text)

    @property
    def is_of_other_words(self) -> bool:
        """The question, or what was chosen, has been called otherwise since."""
        names = {option.pk: option.names for option in self.question.options.all()}
        fixed = {option.pk for option in self.question.options.all() if option.fixed}
        return self.asked_as not in self.question.wordings or any(
            pk not in fixed and word not in names.get(pk, ())
            for pk, word in zip(self.options, self.chosen_as, strict=True)
        )

    @property
    def chosen_then(self) -> str:
        return texts.listed(self.chosen_as)


def said_as(question: Question, kept: Any) -> str:
    """A text, or options, in the words of the reader's language."""
    if question.has_options:
        return texts.listed(option for option in question.options.all() if option.pk in kept)
    if question.kind == Question.Kind.COUNTRY:
        return str(countries.name(kept))
    if question.kind == Question.Kind.DATE:
        return shown.day(date.fromisoformat(kept))
    return kept

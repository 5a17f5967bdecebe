"""Who comes: delegations and their people, and groups that are asked in or ask to be."""

from registrations.models.answers import Answer, AnswerQuerySet, said_as
from registrations.models.batches import Batch, BatchedPerson, BatchQuerySet
from registrations.models.corrections import Correction, CorrectionQuerySet
from registrations.models.delegates import (
    AWAITS_DECISION,
    CORRECTABLE,
    DECIDED,
    GONE,
    SEATED,
    TAGS,
    WITHOUT_SEAT,
    Delegate,
    DelegateQuerySet,
    Exchange,
    SegmentDecision,
)
from registrations.models.delegations import Registration, RegistrationQuerySet
from registrations.models.guests import Exemption, Invitation, InvitationQuerySet
from registrations.models.imports import ImportRun, ImportRunQuerySet
from registrations.models.merges import Merge, MergeQuerySet
from registrations.models.messages import Message, MessageQuerySet
from registrations.models.notes import Note, Tag
from registrations.models.saved import SavedView, SavedViewQuerySet

__all__ = [
    "AWAITS_DECISION",
    "CORRECTABLE",
    "DECIDED",
    "GONE",
    "SEATED",
    "TAGS",
    "WITHOUT_SEAT",
    "Batch",
    "BatchQuerySet",
    "BatchedPerson",
    "Answer",
    "AnswerQuerySet",
    "Correction",
    "CorrectionQuerySet",
    "Delegate",
    "DelegateQuerySet",
    "Exchange",
    "Exemption",
    "ImportRun",
    "ImportRunQuerySet",
    "Invitation",
    "InvitationQuerySet",
    "Message",
    "MessageQuerySet",
    "Note",
    "Merge",
    "MergeQuerySet",
    "Registration",
    "RegistrationQuerySet",
    "SavedView",
    "SavedViewQuerySet",
    "SegmentDecision",
    "Tag",
    "said_as",
]

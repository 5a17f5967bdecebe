"""What happens and when: processes, their events and deadlines, seats, and who is told."""

from events.models.deadlines import (
    Deadline,
    DeadlineChange,
    DeadlineQuerySet,
    ReminderStep,
)
from events.models.meetings import Document, Event, EventChange, EventQuerySet, Segment
from events.models.people import Follower, FollowerQuerySet, Role, Wish
from events.models.processes import Category, Process, StakeholderGroup
from events.models.questions import Option, Question, QuestionQuerySet, to_answer
from events.models.seating import Quota, Track

__all__ = [
    "Category",
    "Deadline",
    "DeadlineChange",
    "DeadlineQuerySet",
    "Document",
    "Event",
    "EventChange",
    "EventQuerySet",
    "Follower",
    "FollowerQuerySet",
    "Option",
    "Process",
    "Question",
    "QuestionQuerySet",
    "Quota",
    "ReminderStep",
    "Role",
    "Segment",
    "StakeholderGroup",
    "Track",
    "Wish",
    "to_answer",
]

"""Whom letters of an event reach, in an organiser's words."""

from collections import Counter
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from events import texts
from events.models import Deadline, Event
from registrations import audiences

Audience = audiences.Audience
REMINDED = {
    Audience.TO_CONFIRM: ngettext_lazy(
        "%(n)s person who has not confirmed", "%(n)s people who have not confirmed", "n"
    ),
    Audience.DRAFTS: ngettext_lazy(
        "%(n)s focal point with an unsent draft", "%(n)s focal points with an unsent draft", "n"
    ),
    Audience.INVITED: ngettext_lazy(
        "%(n)s invited person without an answer", "%(n)s invited people without an answer", "n"
    ),
    Audience.FOLLOWERS: ngettext_lazy("%(n)s follower", "%(n)s followers", "n"),
}
TOLD = REMINDED | {
    Audience.TO_CONFIRM: ngettext_lazy(
        "%(n)s person who was asked to confirm", "%(n)s people who were asked to confirm", "n"
    ),
    Audience.DRAFTS: ngettext_lazy(
        "%(n)s focal point of a group", "%(n)s focal points of groups", "n"
    ),
}


def said(readers: Mapping[str, int], words: Mapping = REMINDED) -> str:
    """“2 focal points with an unsent draft, 5 followers”"""
    told = [str(words[name] % {"n": readers[name]}) for name in words if readers.get(name)]
    return texts.listed(told) or _("nobody")


def told_of(event: Event) -> str:
    """How many would be told of a change now, by why they are concerned."""
    if event.state == Event.State.DRAFT:
        return _("Nobody is told of it: the event is not published.")
    readers = Counter(str(concerned.audience) for concerned in audiences.of_event(event))
    return _(
        "Told of it as of now: %(readers)s. Each gets one letter, five minutes after the last "
        "change. Who changes it back before that tells nobody."
    ) % {"readers": said(readers, TOLD)}


def told_of_deadline(deadline: Deadline) -> str:
    """Of deadlines of an event that does not take place nobody is told."""
    event = deadline.event
    if event.is_published or event.state == Event.State.DRAFT:
        return told_of(event)
    return _("Nobody is told of it: the event is %(state)s.") % {
        "state": event.get_state_display().lower()
    }

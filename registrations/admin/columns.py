"""Which columns of the attendee list this organiser has chosen: kept in the address, and for the
next visit in the session."""

from collections.abc import Sequence

from django.http import HttpRequest

from events.rights import Right
from registrations.admin.sight import Sight
from registrations.exports import Column, with_answers

PARAMETER = "columns"
SORTED_BY = "sort"
KEPT_AS = "attendee_columns"
ALWAYS = "name"
DEFAULT = ["name", "organisation", "event", "role", "state", "place", "reference", "sent"]
AT_THE_DOOR = ["name", "organisation", "event", "role", "state"]


def possible(sight: Sight) -> list[str]:
    """What this organiser may see of somebody in the list."""
    if sight.is_door:
        return AT_THE_DOOR
    return [
        key
        for key, column in known(sight).items()
        if column.needs == Right.LOOK or sight.has(column.needs)
    ]


def known(sight: Sight) -> dict[str, Column]:
    """All columns, with those of the questions of the one event that the list is of."""
    return with_answers(sight.questions)


def chosen(request: HttpRequest, sight: Sight) -> list[str]:
    if sight.is_door:
        return AT_THE_DOOR
    wanted = typed(request) or request.session.get(KEPT_AS) or DEFAULT
    return [key for key in possible(sight) if key == ALWAYS or key in wanted]


def typed(request: HttpRequest) -> list[str]:
    """Those in the address, of the form or of a link."""
    return [key for part in request.GET.getlist(PARAMETER) for key in part.split(",") if key]


def keep(request: HttpRequest, columns: Sequence[str]) -> None:
    if typed(request) and request.session.get(KEPT_AS) != list(columns):
        request.session[KEPT_AS] = list(columns)


def is_form(request: HttpRequest) -> bool:
    """The form of the columns sends each by itself, and how the list was sorted by name."""
    return SORTED_BY in request.GET or len(request.GET.getlist(PARAMETER)) > 1


def order_by_name(order: str, shown: Sequence[str]) -> str:
    """“2.-8”, which counts columns, in names that stay true when others are chosen."""
    return ".".join(
        ("-" if part.startswith("-") else "") + shown[int(number)]
        for part in order.split(".")
        if (number := part.removeprefix("-")).isdecimal()
        and len(number) < 4
        and int(number) < len(shown)
    )


def order_by_number(order: str, shown: Sequence[str]) -> str:
    return ".".join(
        ("-" if part.startswith("-") else "") + str(shown.index(name))
        for part in order.split(".")
        if (name := part.removeprefix("-")) in shown
    )

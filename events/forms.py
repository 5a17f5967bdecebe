"""What organisers type about events. Times are those on the clocks of the event's zone."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import forms as account_forms
from accounts.models import User
from clock import shown, walls, zones
from clock.fields import DAY_VALIDATORS
from events import following, steps
from events.models import (
    Deadline,
    Event,
    Follower,
    Process,
    Quota,
    ReminderStep,
    Role,
    StakeholderGroup,
    Wish,
)
from events.regions import Region
from events.rights import MEANS, Right

Meaning = Callable[[date, time | None, str, int | None], datetime | None]


def at_that_time(day: date, at: time | None, zone: str, fold: int | None) -> datetime | None:
    return walls.moment(day, at, zone, fold) if at else None


def from_the_start(day: date, at: time | None, zone: str, fold: int | None) -> datetime | None:
    return walls.moment(day, at, zone, fold) if at else walls.start_of(day, zone)


def day_field(label: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=DAY_VALIDATORS,
        error_messages={"invalid": gettext_lazy("Write a date that exists, like 2018-02-07.")},
        **kwargs,
    )


def time_field(label: str, **kwargs: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        input_formats=["%H:%M", "%H.%M", "%H:%M:%S"],
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Write the time in 24 hours, like 17:30.")},
        **kwargs,
    )


def which_field() -> forms.TypedChoiceField:
    """Hidden until a time is typed that the clocks show twice."""
    return forms.TypedChoiceField(
        label=gettext_lazy("Which of the two"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", gettext_lazy("Choose one")),
            (walls.FIRST, gettext_lazy("the first")),
            (walls.SECOND, gettext_lazy("the second")),
        ],
        widget=forms.HiddenInput,
    )


class WallTimes(forms.Form):
    """Turns days and times into moments: `starts_time` on its day becomes `starts_at`.

    `moments` says of each name which field holds its day, and what day and time together mean.
    """

    moments: ClassVar[dict[str, tuple[str, Meaning]]] = {}

    def typed_zone(self) -> str:
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        zone = self.typed_zone()
        for name, (day, meaning) in self.moments.items():
            moment = None
            if zone and data.get(day) and f"{name}_time" not in self.errors:
                moment = self._moment(name, data[day], data.get(f"{name}_time"), zone, meaning)
            data[f"{name}_at"] = moment
        self.check_order(data)
        return data

    def _moment(
        self, name: str, day: date, at: time | None, zone: str, meaning: Meaning
    ) -> datetime | None:
        which = f"{name}_which"
        try:
            return meaning(day, at, zone, None)
        except walls.TwiceTime as twice:
            chosen = self.cleaned_data.get(which)
            self._ask(which, twice, zone)
            if chosen is not None:
                return meaning(day, at, zone, chosen)
            self.add_error(f"{name}_time", str(twice))
        except walls.WallTimeError as error:
            self.add_error(f"{name}_time", str(error))
        return None

    def _ask(self, which: str, twice: walls.TwiceTime, zone: str) -> None:
        field = self.fields[which]
        field.widget = forms.Select()
        field.choices = [
            ("", _("Choose one")),
            (walls.FIRST, _("the first: %(zone)s") % {"zone": _offset(twice.first, zone)}),
            (walls.SECOND, _("the second: %(zone)s") % {"zone": _offset(twice.second, zone)}),
        ]

    def check_order(self, data: dict[str, Any]) -> None:
        """What ends does so after it begins."""
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day lies before the first."))
        elif data.get("starts_at") and data.get("ends_at") and data["ends_at"] <= data["starts_at"]:
            self.add_error("ends_time", _("It ends before it begins."))


def _offset(moment: datetime, zone: str) -> str:
    return shown.zone_name(zone, moment)


def on_the_clock(moment: datetime | None, zone: str) -> tuple[time | None, int | None]:
    """A moment as it is typed: the time, and which one where the clocks show it twice."""
    if moment is None or not zone:
        return None, None
    local = moment.astimezone(walls.zone_of(zone))
    at = local.time().replace(second=0, microsecond=0, fold=0)
    try:
        walls.moment(local.date(), at, zone)
    except walls.TwiceTime:
        return at, local.fold
    return at, None


class EventDays(WallTimes):
    moments = {"starts": ("starts_on", at_that_time), "ends": ("ends_on", at_that_time)}

    starts_on = day_field(gettext_lazy("First day"))
    starts_time = time_field(
        gettext_lazy("Begins"), help_text=gettext_lazy("On the clocks of the event’s time zone.")
    )
    starts_which = which_field()
    ends_on = day_field(gettext_lazy("Last day"))
    ends_time = time_field(gettext_lazy("Ends"))
    ends_which = which_field()


def typed_times(instance: Any, zone: str) -> dict[str, Any]:
    """What the fields of `starts_at` and `ends_at` hold at first."""
    starts, ends = on_the_clock(instance.starts_at, zone), on_the_clock(instance.ends_at, zone)
    return {
        "starts_time": starts[0],
        "starts_which": starts[1],
        "ends_time": ends[0],
        "ends_which": ends[1],
    }


class EventForm(forms.ModelForm):
    """A published event: its days are changed by a page of their own."""

    interpretation = forms.MultipleChoiceField(
        label=gettext_lazy("Interpretation languages"),
        choices=settings.CONTENT_LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


class DraftEventForm(EventDays, EventForm):
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=[("", gettext_lazy("Choose one")), *((zone, zone) for zone in sorted(zones.KNOWN))],
        help_text=gettext_lazy("All times of this event are typed and shown on these clocks."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        event = kwargs.get("instance")
        if event is not None and event.zone:
            typed = typed_times(event, event.zone)
            kwargs["initial"] = typed | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    def typed_zone(self) -> str:
        return self.cleaned_data.get("zone", "")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        self.instance.starts_at, self.instance.ends_at = data["starts_at"], data["ends_at"]
        return data


class SegmentForm(WallTimes, forms.ModelForm):
    moments = {"starts": ("date", at_that_time), "ends": ("date", at_that_time)}

    date = day_field(gettext_lazy("Day"))
    starts_time = time_field(gettext_lazy("Begins"))
    starts_which = which_field()
    ends_time = time_field(gettext_lazy("Ends"))
    ends_which = which_field()

    def __init__(self, *args: Any, zone: str = "", **kwargs: Any) -> None:
        self.zone = zone
        segment = kwargs.get("instance")
        if segment is not None:
            kwargs["initial"] = typed_times(segment, zone) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    def typed_zone(self) -> str:
        return self.zone

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        self.instance.starts_at, self.instance.ends_at = data["starts_at"], data["ends_at"]
        return data


class RowFormSet(forms.BaseInlineFormSet):
    """Rows that must differ are compared in the order in which they are written: with each other,
    and with what was entered while the page was open."""

    def validate_unique(self) -> None:
        for constraint in self.model._meta.total_unique_constraints:
            self._tell_apart([name for name in constraint.fields if name != self.fk.name])

    def _tell_apart(self, names: list[str]) -> None:
        there = self.model._default_manager.filter(**{self.fk.attname: self.instance.pk})
        rows: dict[Any, Any] = {row.pk: row for row in there}
        for form in [*self.initial_forms, *self.extra_forms]:
            row = form.instance
            own = form if row._state.adding else row.pk
            if self.can_delete and self._should_delete_form(form):
                rows.pop(own, None)
            elif form.is_valid() and form.cleaned_data:
                same = [
                    other
                    for key, other in rows.items()
                    if key != own and all(getattr(other, n) == getattr(row, n) for n in names)
                ]
                if same:
                    form.add_error(names[-1], self._said(same[0], names))
                else:
                    rows[own] = row

    def _said(self, other: Any, names: list[str]) -> str:
        words = [str(self.model._meta.get_field(name).verbose_name) for name in names]
        return _("“%(other)s” has the same %(fields)s. Change one of the two.") % {
            "other": other,
            "fields": get_text_list(words, _("and")),
        }


class TrackFormSet(RowFormSet):
    """A track that a quota counts stays until the quota is taken away."""

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and form.instance.quota_set.exists():
                raise ValidationError(
                    _(
                        "“%(track)s” has seats of its own. Take them away on the page “Seats” "
                        "first."
                    ),
                    params={"track": form.instance},
                )


class SegmentFormSet(RowFormSet):
    """Segments take their times from the event as it is typed on the same page."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"zone": self.instance.zone}


def reason_field(help_text: str) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2000,
        help_text=help_text,
        error_messages={"required": gettext_lazy("Write the reason.")},
    )


class ReasonForm(forms.Form):
    reason = reason_field(
        gettext_lazy("It stands in the history of the event, and in the letters about it.")
    )


class RecoveryForm(forms.Form):
    reason = reason_field(
        gettext_lazy("What is lost, and how you know that it is them. It stands in the history.")
    )


class MoveAccountForm(RecoveryForm):
    email = account_forms.EmailField(
        gettext_lazy("New email address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )

    field_order = ["email", "reason"]


class MoveEventForm(EventDays):
    reason = reason_field(
        gettext_lazy("It stands in the history of the event, and in the letters about it.")
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def typed_zone(self) -> str:
        return self.zone


class LikeEventForm(forms.Form):
    name = account_forms.NameField(
        label=gettext_lazy("Name in English"),
        max_length=Event._meta.get_field("name_en").max_length,
    )
    slug = forms.SlugField(
        label=gettext_lazy("Address"),
        max_length=Event._meta.get_field("slug").max_length,
        help_text=gettext_lazy("Small letters, figures and hyphens. It stays the same for good."),
    )
    starts_on = day_field(gettext_lazy("First day"))


class SetDeadlineForm(WallTimes):
    moments = {"opens": ("opens_on", from_the_start), "closes": ("closes_on", walls.closing)}

    kind = forms.ChoiceField(label=gettext_lazy("What closes"))
    opens_on = day_field(
        gettext_lazy("Opens on"),
        required=False,
        help_text=gettext_lazy("Leave it empty to open at once."),
    )
    opens_time = time_field(
        gettext_lazy("Opens at"),
        help_text=gettext_lazy("Leave it empty to mean from the start of that day."),
    )
    opens_which = which_field()
    closes_on = day_field(gettext_lazy("Closes on"))
    closes_time = time_field(
        gettext_lazy("Closes at"),
        help_text=gettext_lazy("Leave it empty to mean through the whole of that day."),
    )
    closes_which = which_field()

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = event.zone
        taken = set(event.deadlines.values_list("kind", flat=True))
        self.fields["kind"].choices = [
            (kind, label) for kind, label in Deadline.Kind.choices if kind not in taken
        ]
        self.fields["kind"].initial = Deadline.Kind.REGISTRATION

    def typed_zone(self) -> str:
        return self.zone


MOST_SEATS = 1_000_000


def seats_field(label: str, *, least: int = 0) -> forms.IntegerField:
    """A number of seats; empty means that there is no limit. It is typed as text: browsers send
    nothing for what is no number in a number's input."""
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=least,
        max_value=MOST_SEATS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "vIntegerField"}),
        error_messages={
            "invalid": gettext_lazy("Write a whole number, or leave it empty for no limit."),
            "min_value": gettext_lazy("Write at least %(limit_value)s, or leave it empty."),
            "max_value": gettext_lazy("Write at most %(limit_value)s."),
        },
    )


class SeatsForm(forms.Form):
    """How many may come to an event, to its parts, and of whom: a number beside each."""

    admission = forms.ChoiceField(
        label=gettext_lazy("Admission"), choices=Event.Admission, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        quotas = list(event.quotas.select_related("track"))
        segments = event.segments.order_by("date", "starts_at", "name_en")
        self.segments = {f"segment_{one.pk.hex}": one for one in segments}
        self.categories = {
            f"category_{code}": Quota(category=code) for code in self._categories(event, quotas)
        }
        self.regions = {f"region_{code}": Quota(region=code) for code in Region.values}
        self.tracks = {
            f"track_{one.pk.hex}": Quota(track=one)
            for one in event.tracks.order_by("position", "name_en")
        }
        kwargs["initial"] = {
            "admission": event.admission,
            "seats": event.seats,
            "cap": event.cap,
            **{name: segment.seats for name, segment in self.segments.items()},
            **{
                name: quota.seats
                for quota in quotas
                for name, sort in self.sorts.items()
                if _is_same_sort(quota, sort)
            },
        }
        super().__init__(*args, **kwargs)
        own = {one.code: str(one) for one in event.process.categories.all()}
        self.fields["seats"] = seats_field(_("Seats"))
        self.fields["cap"] = seats_field(_("Seats for one organisation"), least=1)
        for name, one in {**self.segments, **self.sorts}.items():
            self.fields[name] = seats_field(own.get(getattr(one, "category", ""), str(one)))

    @property
    def sorts(self) -> dict[str, Quota]:
        """The sorts of groups that may have a number, by their fields: quotas that could be."""
        return {**self.categories, **self.regions, **self.tracks}

    def _categories(self, event: Event, quotas: list[Quota]) -> list[str]:
        """Those of the process; a process without any offers all. A quota that is there stays
        in sight."""
        own = event.process.categories.order_by("position", "code").values_list("code", flat=True)
        offered = list(own) or list(StakeholderGroup.values)
        there = [quota.category for quota in quotas if quota.category]
        return list(dict.fromkeys([*offered, *there]))

    def typed_segments(self) -> dict[UUID, int | None]:
        return {one.pk: self.cleaned_data[name] for name, one in self.segments.items()}

    def typed_quotas(self) -> list[Quota]:
        """Those with a number beside them."""
        for name, sort in self.sorts.items():
            sort.seats = self.cleaned_data[name]
        return [sort for sort in self.sorts.values() if sort.seats is not None]


def _is_same_sort(one: Quota, other: Quota) -> bool:
    return (one.category, one.region, one.track_id) == (
        other.category,
        other.region,
        other.track_id,
    )


class StepForm(forms.Form):
    """How long before a deadline a reminder goes out, and to whom."""

    amount = forms.IntegerField(
        label=gettext_lazy("How many"),
        min_value=1,
        max_value=max(steps.MOST.values()),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "vIntegerField"}),
        error_messages={
            "required": gettext_lazy("Write how many days or hours before."),
            "invalid": gettext_lazy("Write a whole number, like 3."),
            "min_value": gettext_lazy("Write at least %(limit_value)s."),
            "max_value": gettext_lazy("Write at most %(limit_value)s."),
        },
    )
    unit = forms.ChoiceField(
        label=gettext_lazy("Days or hours"),
        choices=ReminderStep.Unit,
        initial=ReminderStep.Unit.DAYS,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("As the clocks of the deadline show them, before it closes."),
    )
    audience = forms.ChoiceField(
        label=gettext_lazy("To whom"),
        initial=ReminderStep.Audience.EVERYBODY,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, audiences: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["audience"].choices = list(audiences)


def kind_field() -> forms.ChoiceField:
    """The kinds of roles, each with what it lets its organiser do."""
    return forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=lambda: [
            (str(kind), _("%(kind)s: %(means)s") % {"kind": kind.label, "means": MEANS[kind]})
            for kind in Role.Kind
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose one."),
            "invalid_choice": gettext_lazy("Choose one."),
        },
    )


class RoleForm(forms.Form):
    """Who, by their address; what they may do; and on what of that which the giver runs."""

    email = forms.EmailField(
        label=gettext_lazy("Email address of the person"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "dir": "ltr"}),
        help_text=gettext_lazy(
            "Nobody needs to have signed in here before: a letter tells how to begin."
        ),
        error_messages={
            "required": gettext_lazy("Write the address of the person."),
            "invalid": gettext_lazy(
                "This is not a whole email address. Write it like name@example.org"
            ),
        },
    )
    kind = kind_field()
    on = forms.ChoiceField(
        label=gettext_lazy("Event or process"),
        help_text=gettext_lazy("A role on a process is one on all its events, new ones too."),
        error_messages={
            "required": gettext_lazy("Choose one."),
            "invalid_choice": gettext_lazy("Choose one."),
        },
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        processes = Process.objects.open_to(by, Right.RUN).order_by("slug")
        events = Event.objects.managed_by(by).in_order()
        self.choosable = {str(one.pk): one for one in [*processes, *events]}
        groups = [(_("Processes"), processes), (_("Events"), events)]
        self.fields["on"].choices = [
            ("", _("Choose one")),
            *((words, [(str(one.pk), str(one)) for one in of]) for words, of in groups if of),
        ]

    def clean_on(self) -> Event | Process:
        return self.choosable[self.cleaned_data["on"]]


class RoleKindForm(forms.Form):
    kind = kind_field()


class WishesForm(forms.Form):
    """What an address hears of each thing that it follows. Only what stood on the page is
    chosen about."""

    def __init__(self, *args: Any, followers: Iterable[Follower], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = set(self.data.getlist("row")) if self.is_bound else None
        self.followers = [one for one in followers if shown is None or str(one.pk) in shown]
        for follower in self.followers:
            self.fields[str(follower.pk)] = forms.MultipleChoiceField(
                label=follower.on.name,
                choices=Wish.choices,
                widget=forms.CheckboxSelectMultiple,
                required=False,
                initial=sorted(following.wishes(follower)),
                error_messages={"invalid_choice": gettext_lazy("Choose from this list.")},
            )

    def rows(self) -> Iterable[tuple[Follower, forms.BoundField]]:
        return [(follower, self[str(follower.pk)]) for follower in self.followers]

    def wishes(self) -> Iterable[tuple[Follower, list[Wish]]]:
        for follower in self.followers:
            yield follower, [Wish(said) for said in self.cleaned_data[str(follower.pk)]]


class FollowForm(forms.Form):
    """An address that wants to hear of an event or a process."""

    email = forms.EmailField(
        label=gettext_lazy("Your email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "dir": "ltr"}),
        error_messages={
            "required": gettext_lazy("Write your email address."),
            "invalid": gettext_lazy(
                "This is not a whole email address. Write it like name@example.org"
            ),
        },
    )

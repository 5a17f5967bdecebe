"""Form parts for typing a wall time: a day, perhaps a time, and which one where it comes twice."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clock import shown, walls

# For every day that is typed: near the ends of the calendar, zones lead out of it.
FAR = gettext_lazy("Write a day from 1990 to 2100, like 2018-02-07.")
DAY_VALIDATORS = [
    MinValueValidator(date(1990, 1, 1), FAR),
    MaxValueValidator(date(2100, 12, 31), FAR),
]


class WallTimeForm(forms.Form):
    """Gives `cleaned_data["moment"]` in UTC. The zone is the caller's: it is shown, not typed."""

    day = forms.DateField(
        label=gettext_lazy("Date"),
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=DAY_VALIDATORS,
        error_messages={"invalid": gettext_lazy("Write a date that exists, like 2018-02-07.")},
    )
    time = forms.TimeField(
        label=gettext_lazy("Time"),
        required=False,
        input_formats=["%H:%M", "%H.%M", "%H:%M:%S"],
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("Leave it empty to mean through the whole of that day."),
        error_messages={"invalid": gettext_lazy("Write the time in 24 hours, like 17:30.")},
    )
    takes_through = True

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        twice = self._typed_twice() if self.is_bound else None
        if twice:
            self.fields["which"] = forms.TypedChoiceField(
                label=_("Which of the two"),
                required=False,
                coerce=int,
                empty_value=None,
                widget=forms.RadioSelect,
                choices=[
                    (walls.FIRST, self._said(twice.first)),
                    (walls.SECOND, self._said(twice.second)),
                ],
            )

    def _said(self, value: datetime) -> str:
        return shown.moment_and_zone(value, self.zone)

    def _typed(self, name: str) -> Any:
        field = self.fields[name]
        try:
            return field.clean(self.data.get(self.add_prefix(name)))
        except forms.ValidationError:
            return None

    def _typed_twice(self) -> walls.TwiceTime | None:
        day, time = self._typed("day"), self._typed("time")
        if day is None or time is None:
            return None
        try:
            self._resolve(day, time, None)
        except walls.TwiceTime as twice:
            return twice
        except walls.NoSuchTime:
            return None
        return None

    def _resolve(self, day: Any, time: Any, fold: int | None) -> datetime:
        if self.takes_through:
            return walls.closing(day, time, self.zone, fold)
        if time is None:
            return walls.start_of(day, self.zone)
        return walls.moment(day, time, self.zone, fold)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("day") and "time" not in self.errors:
            try:
                data["moment"] = self._resolve(data["day"], data.get("time"), data.get("which"))
            except walls.TwiceTime as twice:
                self.add_error("which", str(twice))
            except walls.WallTimeError as error:
                self.add_error("time", str(error))
        return data

from django.urls import path, re_path, register_converter

from pages import feeds
from pages.views import about, check, event, home, lists, months, participants

register_converter(months.MonthConverter, "month")

app_name = "pages"

urlpatterns = [
    path("", home.home, name="home"),
    path("events/", lists.events, name="events"),
    path("events/<slug:slug>/", event.event, name="event"),
    path("events/<slug:slug>/check/", check.check, name="check"),
    path("events/<slug:slug>/participants/", participants.participants, name="participants"),
    path("events/<slug:slug>/calendar.ics", feeds.event_ics, name="event_ics"),
    path("processes/<slug:slug>/", home.process, name="process"),
    path("processes/<slug:slug>/calendar.ics", feeds.process_ics, name="process_ics"),
    path("processes/<slug:slug>/news.atom", feeds.process_atom, name="process_atom"),
    path("deadlines.ics", feeds.deadlines_ics, name="deadlines_ics"),
    re_path(r"^calendars/(?P<secret>[\w-]{43})\.ics$", feeds.own_ics, name="own_ics"),
    path("news.atom", feeds.news_atom, name="news_atom"),
    path("calendar/", months.calendar, name="calendar"),
    path("calendar/<month:month>/", months.calendar, name="calendar_month"),
    path("help/", about.help_page, name="help"),
    path("accessibility/", about.accessibility, name="accessibility"),
    path("privacy/", about.privacy, name="privacy"),
]

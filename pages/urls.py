from django.urls import path

from pages import feeds, views

app_name = "pages"

urlpatterns = [
    path("", views.home, name="home"),
    path("events/", views.events, name="events"),
    path("events/<slug:slug>/", views.event, name="event"),
    path("events/<slug:slug>/participants/", views.participants, name="participants"),
    path("events/<slug:slug>/calendar.ics", feeds.event_ics, name="event_ics"),
    path("processes/<slug:slug>/", views.process, name="process"),
]

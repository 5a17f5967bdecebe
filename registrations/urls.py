from django.urls import path, register_converter
from django.urls.converters import StringConverter

from registrations import views


class ReferenceConverter(StringConverter):
    regex = "[0-9A-Z]{1,6}-[0-9A-Z]{4}-[0-9A-Z]{4}"


register_converter(ReferenceConverter, "reference")

app_name = "registrations"
ONE = "registrations/<reference:reference>/"
PERSON = ONE + "people/<uuid:pk>/"

urlpatterns = [
    path("events/<slug:slug>/register/", views.start, name="start"),
    path("registrations/", views.mine, name="mine"),
    path(ONE, views.registration, name="registration"),
    path(ONE + "organisation/", views.organisation, name="organisation"),
    path(ONE + "people/", views.people, name="people"),
    path(ONE + "check/", views.check, name="check"),
    path(ONE + "withdraw/", views.withdraw, name="withdraw"),
    path(PERSON, views.person, name="person"),
    path(PERSON + "remove/", views.remove_person, name="remove_person"),
    path(PERSON + "withdraw/", views.withdraw_person, name="withdraw_person"),
]

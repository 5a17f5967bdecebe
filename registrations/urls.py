from django.urls import path, register_converter
from django.urls.converters import StringConverter

from events.urls import TokenConverter
from registrations.views import (
    adding,
    beginning,
    colleagues,
    corrections,
    drafts,
    letters,
    questions,
    sent,
)


class ReferenceConverter(StringConverter):
    regex = "[0-9A-Z]{1,6}-[0-9A-Z]{4}-[0-9A-Z]{4}"


register_converter(ReferenceConverter, "reference")
register_converter(TokenConverter, "token")

app_name = "registrations"
ONE = "registrations/<reference:reference>/"
PERSON = ONE + "people/<uuid:pk>/"

urlpatterns = [
    path("events/<slug:slug>/register/", beginning.start, name="start"),
    path("registrations/", sent.mine, name="mine"),
    path(ONE, sent.registration, name="registration"),
    path(ONE + "organisation/", drafts.organisation, name="organisation"),
    path(ONE + "people/", drafts.people, name="people"),
    path(ONE + "people/paste/", adding.paste, name="paste"),
    path(ONE + "people/choose/", adding.choose, name="choose_people"),
    path(ONE + "questions/", questions.of_delegation, name="questions"),
    path(ONE + "check/", drafts.check, name="check"),
    path(ONE + "withdraw/", sent.withdraw, name="withdraw"),
    path(ONE + "colleagues/", colleagues.choose, name="colleagues"),
    path(ONE + "ask/", drafts.ask_in, name="ask_in"),
    path(PERSON, sent.person, name="person"),
    path(PERSON + "remove/", drafts.remove_person, name="remove_person"),
    path(PERSON + "withdraw/", sent.withdraw_person, name="withdraw_person"),
    path(PERSON + "correct/", corrections.correct, name="correct"),
    path(PERSON + "questions/", questions.of_person, name="person_questions"),
    path(PERSON + "replace/", sent.replace, name="replace"),
    path(PERSON + "confirm/", sent.confirm_person, name="confirm_person"),
    path("confirm/<token:token>/", letters.confirm, name="confirm"),
    path("listing/<token:token>/", letters.be_listed, name="listing"),
    path("invitations/<token:token>/", letters.invitation, name="invitation"),
]

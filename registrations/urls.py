from django.urls import path

from registrations import views

app_name = "registrations"
ONE = "registrations/<str:reference>/"
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

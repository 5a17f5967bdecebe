from django.urls import path

from stakeholders import views

app_name = "stakeholders"
ONE = "organisations/<uuid:pk>/"
PERSON = ONE + "people/<uuid:person>/"

urlpatterns = [
    path("organisations/", views.mine, name="mine"),
    path("organisations/find/", views.find, name="find"),
    path(ONE, views.organisation, name="organisation"),
    path(ONE + "ask/", views.ask, name="ask"),
    path(ONE + "invitation/", views.invitation, name="invitation"),
    path(ONE + "leave/", views.leave, name="leave"),
    path(PERSON + "answer/", views.answer, name="answer"),
    path(PERSON + "<slug:change>/", views.change, name="change"),
]

from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [
    path("demo/mailbox/", views.mailbox, name="mailbox"),
    path("demo/mailbox/<uuid:pk>/", views.letter, name="letter"),
]

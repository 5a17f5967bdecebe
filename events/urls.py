from django.urls import path, register_converter
from django.urls.converters import StringConverter

from events import views


class TokenConverter(StringConverter):
    """What django.core.signing writes: letters, digits and a few signs, never a slash."""

    regex = "[0-9A-Za-z_.:=~+@-]{1,1000}"


register_converter(TokenConverter, "signed")

app_name = "events"

urlpatterns = [
    path("events/<slug:slug>/follow/", views.follow_event, name="follow"),
    path("processes/<slug:slug>/follow/", views.follow_process, name="follow_process"),
    path("follow/confirm/<signed:token>/", views.confirm, name="follow_confirm"),
    path("follow/stop/<signed:token>/", views.stop_following, name="follow_stop"),
    path("accounts/following/", views.followed, name="followed"),
    path("accounts/address/", views.address, name="address"),
    path("accounts/address/code/", views.address_code, name="address_code"),
    path("letters/stop/<signed:token>/", views.stop_letters, name="stop"),
]

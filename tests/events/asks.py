"""Another process of the portal: asks to follow for some addresses, and prints what it was told."""

import json
import sys

import django
from django.test.utils import override_settings

django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402

name, times = sys.argv[1], int(sys.argv[2])
files = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
told = []
with override_settings(STORAGES=settings.STORAGES | files, ALLOWED_HOSTS=["testserver"]):
    for number in range(times):
        asked = {"email": f"{name}{number}@readers.example"}
        page = Client().post("/en/events/hearing/follow/", asked)
        told.append("Look into your mailbox" in page.content.decode())
print(json.dumps(told))

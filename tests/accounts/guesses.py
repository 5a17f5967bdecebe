"""Another process of the portal: guesses codes for an address, and prints what it was told."""

import json
import sys

import django
from django.test.utils import override_settings

django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402

email, times = sys.argv[1], int(sys.argv[2])
files = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
told = []
with override_settings(
    ACCOUNT_RATE_LIMITS=False,
    STORAGES=settings.STORAGES | files,
    ALLOWED_HOSTS=["testserver"],
):
    for _time in range(times):
        client = Client()
        client.post("/en/accounts/login/", {"email": email})
        page = client.post("/en/accounts/login/code/confirm/", {"code": "WRONG1"})
        with_error = page.content.decode().split('id="id_code_error">')[1]
        told.append(with_error.split("</span>", 2)[1].strip())
print(json.dumps(told))

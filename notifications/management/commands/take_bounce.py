import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

import clock
from notifications import bounces


class Command(BaseCommand):
    help = "Reads a mail server's report of a letter that came back (docs/post.md)."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(bounces.MOST + 1)
        while sys.stdin.buffer.read(bounces.MOST):
            pass  # a pipe that is closed too early would make the server send a report of its own
        try:
            self.stdout.write(bounces.take(raw, clock.now()))
        except (OperationalError, InterfaceError) as error:
            again = getattr(os, "EX_TEMPFAIL", 75)
            raise CommandError("No database; please try again later.", returncode=again) from error

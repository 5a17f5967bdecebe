from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

import clock
from notifications.models import Heartbeat


class Command(BaseCommand):
    help = "Whether the worker or the timetable was seen at work of late (docs/production.md)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=[Heartbeat.WORKER, Heartbeat.BEAT])
        parser.add_argument("--within", type=int, default=60, help="seconds; 60 unless given")

    def handle(self, *args: Any, name: str, within: int, **options: Any) -> None:
        try:
            now = clock.now()
            sign = Heartbeat.objects.filter(name=name).first()
        except (OperationalError, InterfaceError) as error:
            raise CommandError("No database; nobody can say.") from error
        if sign is None:
            raise CommandError(f"{name} was never seen.")
        ago = round((now - sign.at).total_seconds())
        if ago > within:
            raise CommandError(f"{name} was last seen {ago} s ago.")
        self.stdout.write(f"{name} was seen {ago} s ago.")

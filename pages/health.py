"""Whether the portal lives, and whether it can serve. For machines, not for people."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

import clock
from notifications.models import Heartbeat


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers. It asks nothing else, so that a database pause restarts nobody."""
    return JsonResponse({"alive": True})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and has our tables; else 503. The last sign of worker and beat is
    told, in seconds ago, but pages do not need them, so their absence is no 503."""
    now = clock.now()
    executor = MigrationExecutor(connection)
    is_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    beats = {
        beat.name: round((now - beat.at).total_seconds())
        for beat in (Heartbeat.objects.order_by("name") if is_migrated else [])
    }
    answer = {"ready": is_migrated, "database": True, "migrated": is_migrated, "seen": beats}
    return JsonResponse(answer, status=200 if is_migrated else 503)

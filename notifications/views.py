from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.models import Letter

LATEST = 50


def demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that does not exist in a real portal, and that no search engine keeps."""

    @wraps(view)
    @never_cache
    @require_safe
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        return response

    return page


@demo_only
def mailbox(request: HttpRequest) -> HttpResponse:
    to = request.GET.get("to", "").replace("\x00", "").strip()
    letters = Letter.objects.to(to) if to else Letter.objects.all()
    latest = letters.order_by("-posted_at", "pk")[:LATEST]
    return render(request, "notifications/mailbox.html", {"letters": latest, "to": to})


@demo_only
def letter(request: HttpRequest, pk: UUID) -> HttpResponse:
    return render(
        request, "notifications/letter.html", {"letter": get_object_or_404(Letter, pk=pk)}
    )

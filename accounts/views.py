from allauth.account.views import RequestLoginCodeView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.forms import MeForm


class DoorView(RequestLoginCodeView):
    """Whoever comes back to the door before typing a code had written a wrong address."""

    def _redirect_to_pending_stage(self, *_: object) -> None:
        """Stay here; allauth would lead on to the code."""


@login_required
def me(request: HttpRequest) -> HttpResponse:
    form = MeForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:me")
    return render(request, "accounts/me.html", {"form": form})

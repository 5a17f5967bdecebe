import time

from allauth.account.views import ConfirmLoginCodeView, RequestLoginCodeView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.forms import MeForm


class DoorView(RequestLoginCodeView):
    """Whoever comes back to the door before typing a code had written a wrong address."""

    def _redirect_to_pending_stage(self, *_: object) -> None:
        """Stay here; allauth would lead on to the code."""


class CodeView(ConfirmLoginCodeView):
    """Another code works as long as its letter says; allauth would count from the first one."""

    def _resend_form_valid(self, form: Form) -> HttpResponse:
        self.stage.login.initiated_at = self._process.state["at"] = time.time()
        return super()._resend_form_valid(form)


@login_required
def me(request: HttpRequest) -> HttpResponse:
    form = MeForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:me")
    return render(request, "accounts/me.html", {"form": form})

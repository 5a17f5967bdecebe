"""The page between an organiser's choice and its effect."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from events import refusals


def ask(
    admin: ModelAdmin,
    request: HttpRequest,
    *,
    title: str,
    submit_label: str,
    back: str,
    act: Callable[[dict[str, Any]], str],
    form: forms.Form | None = None,
    refused_by: type[Exception] | tuple[type[Exception], ...] = refusals.Refusal,
    beside: dict[type[Exception], str] | None = None,
    after: str = "",
    **context: Any,
) -> HttpResponse:
    """Show what will happen; once that is confirmed, call `act` with what was typed.

    `act` calls one verb and says what it did; then the page `after` follows, or the one that
    Cancel leads `back` to. A refusal of the classes `refused_by` is shown beside the field that
    `beside` names for it, or above, and what was typed is kept.
    """
    is_confirmed = request.method == "POST" and "confirm" in request.POST
    if form is None:
        form = forms.Form(request.POST if is_confirmed else None)
    if is_confirmed and form.is_valid():
        try:
            done = act(form.cleaned_data)
        except refused_by as refused:
            form.add_error((beside or {}).get(type(refused)), str(refused))
        else:
            messages.success(request, done)
            return redirect(after or back)
    return show(
        admin, request, title=title, submit_label=submit_label, back=back, form=form, **context
    )


def digest(typed: Any) -> str:
    """Another one for other answers: whether what is confirmed is what was shown."""
    said = json.dumps(typed, default=str, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def show(
    admin: ModelAdmin,
    request: HttpRequest,
    *,
    title: str,
    submit_label: str,
    back: str,
    form: forms.Form,
    hidden: Iterable[tuple[str, str]] = (),
    template: str = "admin/confirm_action.html",
    **context: Any,
) -> HttpResponse:
    return TemplateResponse(
        request,
        template,
        {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": title,
            "submit_label": submit_label,
            "cancel_url": back,
            "form": form,
            "hidden": list(hidden),
            **context,
        },
    )

"""The page on which a conversation begins."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.views import SignedInRequest
from conversations.forms import DirectForm, GroupForm, StartForm
from messaging.rows import inbox_beside


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_conversation(request: SignedInRequest) -> HttpResponse:
    """Start a conversation with one person, or make a group, and go there."""
    forms: dict[str, StartForm] = {"direct": DirectForm(), "group": GroupForm()}
    kind = request.POST.get("kind", "direct")
    if request.method == "POST" and kind in forms:
        forms[kind] = type(forms[kind])(request.POST)
        started = forms[kind].start(by=request.user)
        if started:
            return redirect("conversation", started.pk)
    return _render(request, forms)


def _render(request: SignedInRequest, forms: dict[str, StartForm]) -> HttpResponse:
    context = {"inbox": inbox_beside(by=request.user), "direct_form": forms["direct"], "group_form": forms["group"]}
    is_wrong = any(form.is_bound for form in forms.values())
    return render(request, "conversations/new.html", context, status=400 if is_wrong else 200)

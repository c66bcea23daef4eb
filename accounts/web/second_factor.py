"""Setting up an authenticator app: the page of django-allauth, except that the first code can't be used again."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from django.db import transaction
from django.http import HttpResponse

from accounts.auth.second_factor import record_step


class Activate(ActivateTOTPView):  # type: ignore[misc]
    """Set up an authenticator app, and record that its first code was used."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        record_step(Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP), form.step)
        return answer


activate = Activate.as_view()

"""All routes."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from accounts import urls as accounts
from chatproject.rest.problems import not_found
from chatproject.views import ServerViewSet, api_docs, document, healthz, metrics, readyz
from messaging.api import urls as messaging_api
from messaging.web import urls as messaging

server = ServerViewSet.as_view({"get": "retrieve"})

urlpatterns = [
    path("", include([*messaging.pages, *accounts.pages])),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("admin/", include(messaging.staff)),
    path("admin/", admin.site.urls),
    path(
        "api/v1/",
        include(
            [
                *accounts.api,
                *messaging_api.urlpatterns,
                path("server", ServerViewSet.as_view({"get": "retrieve"})),
            ]
        ),
    ),
    path("api/docs", api_docs, name="api_docs"),
    path("api/openapi.yaml", document, {"name": "openapi.yaml"}, name="openapi"),
    path("api/asyncapi.yaml", document, {"name": "asyncapi.yaml"}, name="asyncapi"),
    # Exempt from CSRF, so that a route that does not exist is a 404 whatever token a request has.
    re_path(r"^api/", csrf_exempt(not_found)),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler400 = "chatproject.rest.problems.bad_request"
handler403 = "chatproject.rest.problems.forbidden"
handler404 = "chatproject.rest.problems.not_found"
handler500 = "chatproject.rest.problems.server_error"

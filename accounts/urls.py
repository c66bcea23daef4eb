from django.urls import URLPattern, URLResolver, path

from accounts.api import AuthViewSet, SessionViewSet

pages: list[URLPattern | URLResolver] = []

api: list[URLPattern | URLResolver] = [
    path("auth/register", AuthViewSet.as_view({"post": "register"})),
    path("auth/token", AuthViewSet.as_view({"post": "token"})),
    path("auth/token/refresh", AuthViewSet.as_view({"post": "refresh"})),
    path("auth/logout", SessionViewSet.as_view({"post": "logout"})),
    path("auth/sessions", SessionViewSet.as_view({"get": "list", "delete": "destroy_others"})),
    path("auth/sessions/<pk>", SessionViewSet.as_view({"delete": "destroy"})),
    path("auth/password", SessionViewSet.as_view({"post": "password"})),
    path("auth/ticket", SessionViewSet.as_view({"post": "ticket"})),
    path("users/me", SessionViewSet.as_view({"get": "me"})),
]

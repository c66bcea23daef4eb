from django.urls import URLPattern, URLResolver, path

from accounts.api import AuthViewSet, SessionViewSet
from accounts.api_people import ContactViewSet, InvitationViewSet, MeViewSet, PeopleViewSet

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
    path("users/me", MeViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("users/me/close", MeViewSet.as_view({"post": "close"})),
    path("users", PeopleViewSet.as_view({"get": "list"})),
    path("users/blocked", PeopleViewSet.as_view({"get": "blocked"})),
    path("users/<pk>", PeopleViewSet.as_view({"get": "retrieve"})),
    path("users/<pk>/block", PeopleViewSet.as_view({"put": "block", "delete": "unblock"})),
    path("contacts", ContactViewSet.as_view({"get": "list"})),
    path("contacts/invitations", InvitationViewSet.as_view({"get": "list", "post": "create"})),
    path("contacts/invitations/<pk>/accept", InvitationViewSet.as_view({"post": "accept"})),
    path("contacts/invitations/<pk>/decline", InvitationViewSet.as_view({"post": "decline"})),
    path("contacts/<pk>", ContactViewSet.as_view({"delete": "destroy"})),
]

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ChatProjectConfig(AppConfig):
    name = "chatproject"

    def ready(self) -> None:
        from chatproject import checks  # noqa: F401 (registers the checks; they import models)


class StaffAdminConfig(AdminConfig):
    """Django's admin with our own site."""

    default_site = "chatproject.staff.site.StaffSite"

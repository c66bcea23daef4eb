from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ChatProjectConfig(AppConfig):
    name = "chatproject"

    def ready(self) -> None:
        from chatproject import checks  # noqa: F401 (registers them; it needs the apps)


class StaffAdminConfig(AdminConfig):
    """Django's admin with a site of our own."""

    default_site = "chatproject.staff.site.StaffSite"

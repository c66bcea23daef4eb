from django.apps import AppConfig


class ChatProjectConfig(AppConfig):
    name = "chatproject"

    def ready(self) -> None:
        from chatproject import checks  # noqa: F401 (registers them; it needs the apps)

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from accounts.signals import service_message
        from messaging.messages.service_messages import on_service_message

        service_message.connect(on_service_message)

"""Pictures of people and groups: the commands of conversations use `messaging.media` through this module."""

from messaging.media.avatars import replace_avatar

__all__ = ["replace_avatar"]

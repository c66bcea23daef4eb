"""The followers of the change log that `manage.py follow` runs."""

from conversations.change_log.follower import Follower
from messaging.moderation.message_counts import MessageCounts

FOLLOWERS: tuple[Follower, ...] = (MessageCounts(),)

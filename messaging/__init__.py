"""Messages and all that moves them: append, delivery, receipts, presence, media, moderation."""

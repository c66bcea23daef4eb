"""Uploads from their first byte to their deletion: storage, the sanitizer, thumbnails, quarantine, avatars.

Messages refer to attachments, never the other way round; everything above `messaging.retention` may import it.
"""

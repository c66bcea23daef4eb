"""What the staff's tools share: the audit log, suspensions, the service account, base classes of the admin.

The admin modules, the pages, the API and moderation may import it.
"""

"""What the staff needs everywhere: its audit log, suspensions, the service account, and what pages of the admin are
made of.

The admin modules, doors and moderation may import it.
"""

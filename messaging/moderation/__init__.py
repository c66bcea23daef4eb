"""Reports, and what the staff does with messages, conversations and connections.

The admin modules and the doors may import it.
"""

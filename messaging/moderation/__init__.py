"""Reports, and the commands of the staff about messages, conversations and connections.

The admin modules and the doors may import it.
"""

"""The site of the admin: who may enter, what its first page shows.

Part of the assembly: it may import every app, and no app imports it.
"""

"""Pages and forms about signing in, people, contacts and settings, and what other pages need: faces, base views.

A door: the pages of `messaging.web` may import it.
"""

"""Pages and forms about signing in, people, contacts and settings, and what other pages need: base views, person views.

The pages of `messaging.web` may import it.
"""

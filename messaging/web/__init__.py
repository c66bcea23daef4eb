"""Pages that show conversations, and the contexts that their templates print.

A door: nothing but the site map and the template tags may import it.
"""

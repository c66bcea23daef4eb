"""What all REST routes share: views, fields, problem documents, descriptions for OpenAPI.

It imports no app; the `api` packages of the apps import it.
"""

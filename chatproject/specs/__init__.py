"""OpenAPI and AsyncAPI documents, generated from the code.

Part of the assembly: it may import every app, and no app imports it.
"""

"""The WebSocket: frames, commands and their handlers, catching up, send queues, rate limits.

A door: it asks commands and the hub. Only the ASGI application and the specifications may import it.
"""

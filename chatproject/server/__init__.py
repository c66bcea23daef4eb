"""The HTTP and WebSocket protocols under uvicorn, and middleware: limits, compression, ETags, browser sessions.

It imports no app; doors and settings name what they need of it.
"""

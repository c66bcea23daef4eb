"""uvicorn's protocol classes for HTTP and WebSocket, and middleware: limits, compression, ETags, browser sessions.

It imports no app. Settings and the entry points of apps (pages, REST, WebSocket) use it.
"""

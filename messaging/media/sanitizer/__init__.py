"""What looks at the bytes that people upload: a program of its own, with little memory and time, that knows no Django.

It writes a copy without metadata and a small picture, and tells what it saw. Nothing of what comes from outside is
decoded anywhere else.
"""

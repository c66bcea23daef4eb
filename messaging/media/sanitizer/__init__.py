"""The program that examines uploads: a separate process with little memory and time, and without Django.

It writes a copy without metadata and a thumbnail, and prints their properties. No other part of the server decodes what
people upload.
"""

"""The API of a running engine: HTTP on a Unix socket in its data folder.

`door` is where the two ends meet and needs the standard library only; `application` and what it
uses need FastAPI and are imported once the engine listens.
"""

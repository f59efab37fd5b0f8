"""Platforms on loopback: real HTTP, real books, scripted failures; shares no code with any connector."""

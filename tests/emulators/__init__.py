"""Servers on loopback that speak the real protocols of providers and do what a test tells them to."""

"""Copies of a whole database into another."""

"""The chat command language."""

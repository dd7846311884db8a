"""The message store: the only package that imports SQLAlchemy."""

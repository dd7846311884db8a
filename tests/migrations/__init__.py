"""The schema, from the first revision to the installed wheel."""

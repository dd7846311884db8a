"""The journal: files that hold each MESSAGE from its 200 OK to the store's commit."""

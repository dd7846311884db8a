"""MicroSIP: the channels that reach it, under one control."""

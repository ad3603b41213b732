"""Walks a release through its shares of the traffic, on to the new revision or back to the old one."""

"""The small program that an operator runs once per project, before the platform."""

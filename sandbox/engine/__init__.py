"""Pulumi's deployment rules over plain data: no SDK, no protocol, no program."""

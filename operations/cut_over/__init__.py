"""The cut-over of the live database to its successor: copy, switch, and the way back.

Run by a person from a machine that reaches both servers, never deployed; docs/runbooks/database-cut-over.md
leads through it. `steps` holds what a subcommand does, `preflight` what is refused beforehand, `gate`
which of the two servers takes writes, `replication` publications, slots and subscriptions, `content` what is
compared.

At every moment at most one of the two databases takes writes: the other has `default_transaction_read_only`.
Each step can be killed at any point and run again.
"""

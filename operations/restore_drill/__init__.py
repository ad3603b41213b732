"""The restore drill: once a month the database is restored beside itself, compared, timed and deleted.

`drill.yaml` is the definition that Google Workflows runs: it needs no server, waits for hours at no cost, and
keeps what it did for 90 days. It clones at a point in time, the way back that is promised; it restores the
newest backup where the point is out of reach, and then fails where point-in-time recovery is on. It asks the
functions here about the data. Every deletion goes through one step that knows only names of its own making.

Deletion is certain as far as anything is: after every end of a drill, good or bad; by the next drill, before
it starts; by the daily watch, when somebody cancelled a drill; and by hand, `{"task": "clean"}`. What is left
is told as CRITICAL.

The watch answers for absence. A Cloud Monitoring condition looks back about a day (a longer look is a
preview), so no alert can see "no drill for a month". Once a day the watch asks Workflows for the last drill
that passed and writes `fresh` while it is at most 32 days old. The alert is on the absence of `fresh` within
a day: no schedule, no account, no definition, a drill that fails, a watch that fails: all of them are
silence.

Sources: Cloud SQL (clone, restore, deletion protection, Admin API v1), Workflows (syntax, quotas, retries),
the Executions API v1.
"""

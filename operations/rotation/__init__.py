"""The rotator: makes, proves and puts into service new secret versions, and retires old ones.

Deployed to Cloud Run from this folder by `components.foundation.secret_rotation`; imports nothing of the
repository. `entry.handle` is the function, `schedule` says what a message makes happen, `database` and
`vendor` the two kinds of secrets, `google` speaks to Google's APIs and `postgres` to the database.
"""

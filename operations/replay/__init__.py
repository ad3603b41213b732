"""Brings dead letters back: from the subscription that keeps them to the topic that they failed on.

A person runs it, never a clock: `make replay` first says what it would do, and does it when given the number
that it said. It publishes, then acknowledges, so that a kill at any moment leaves a duplicate and never a
loss. `letters` reads a message, `plan` chooses, `replay` moves, `pubsub` speaks to Google, `__main__` to the
person. Standard library only.

Two attributes travel with a replayed message: `aiprod_replay_of` is the id of the dead letter that was
replayed first, `aiprod_replays` counts. One pair stands for one replay, so a consumer that keeps the pairs it
has worked on knows the duplicate of a killed run for what it is.
"""

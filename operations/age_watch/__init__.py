"""The age watch: whether any secret's newest enabled version is too old, whoever should have rotated it.

Shares no code, account or trigger with the rotator, so that nothing that stops one stops the other. `watch`
is the function, called once a day.
"""

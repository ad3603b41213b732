"""What must always hold: rules as pure functions over plain data, and the pack that runs them.

Pulumi starts the pack with this folder first on the module path, so no module here may carry the name of a
module of the standard library.
"""

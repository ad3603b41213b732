"""Google Cloud without Google: a stand-in cloud, a built-in engine, a plug-in for the real CLI.

Nothing here talks to Google, and nothing here can deploy to it.
"""

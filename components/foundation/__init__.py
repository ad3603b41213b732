"""What lives under everything else: identities, network, keys, secrets."""

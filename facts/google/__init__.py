"""What Google Cloud itself fixes: forms of identifiers, service agents, names of roles and members."""

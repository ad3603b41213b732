"""Proof that the Cloud Armor policy, as declared, stops attacks and lets the contract through."""

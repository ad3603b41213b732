"""The contract with the sibling service: what its images get from the platform, and what they must offer."""

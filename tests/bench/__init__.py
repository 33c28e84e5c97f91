"""How fast it is, measured in the same run against the plainest thing that could do the same; no bound in seconds."""

"""The door for alerts: the only thing it does is take a signal and answer once that is on disk (SPEC §2.1)."""

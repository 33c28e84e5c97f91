"""The one writer: takes events in, lets the domain decide, stores, and sends what was decided."""

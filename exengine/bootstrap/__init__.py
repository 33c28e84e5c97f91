"""The only place where the parts are built and joined: the running program, its paper market, and a replay."""

"""What `orca doctor` looks at: gathers facts (server, workers, store, this host) and judges them with pure code."""

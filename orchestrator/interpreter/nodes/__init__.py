"""One file for each kind of job: how the interpreter carries it out."""

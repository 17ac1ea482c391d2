"""Speed as a ratio to the floor, both measured in the same run. `make bench`; README.md here says how to read it."""

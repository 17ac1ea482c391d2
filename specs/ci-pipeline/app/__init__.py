"""A tiny order desk."""

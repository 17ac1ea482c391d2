"""Replaying is what a worker does, in the process of all tests."""

from tests.support.heap import young_heap

__all__ = ["young_heap"]

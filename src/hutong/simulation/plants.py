"""Bugs, planted: what the simulation must find. Each changes a running world from outside; the product has no switch."""

from collections.abc import Callable

from hutong.simulation.world import World

PLANTS: dict[str, Callable[[World], None]] = {}

"""How a bug gets into a running world: from outside, at every start of a node."""

from collections.abc import Callable
from typing import Any

from hutong.simulation.audit import SWITCH
from hutong.simulation.place import Place
from hutong.simulation.world import World


def at_institutions(world: World, plant: Callable[[Place], None]) -> None:
    """Plant it at every institution, whenever one starts."""
    at_boot(world, lambda place: place.node_id != SWITCH, plant)


def at_boot(world: World, where: Callable[[Place], bool], plant: Callable[[Place], None]) -> None:
    """Plant it at some nodes, whenever one starts."""
    planted = world.on_boot

    def on_boot(place: Place) -> None:
        planted(place)
        if where(place):
            plant(place)

    world.on_boot = on_boot


def deaf(*_: Any) -> None:
    """Does nothing, whatever it is told."""

"""Whether enough different people stand behind something: one person fills one place.

Used for signatures (places of a rule's groups) and for votes (places that ask for a role). A greedy choice would be
wrong: who fits two places must go where nobody else fits. So it is a maximum bipartite matching by augmenting paths.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import TypeVar

Person = TypeVar("Person", bound=Hashable)


def places_filled(places: Sequence[Collection[Person]]) -> int:
    """The largest number of places that can be filled at once, each by a person of its own.

    Args:
        places: for each place the people who may fill it.
    """
    seated: dict[Person, int] = {}

    def seat(place: int, asked: set[Person]) -> bool:
        for person in places[place]:
            if person in asked:
                continue
            asked.add(person)
            if person not in seated or seat(seated[person], asked):
                seated[person] = place
                return True
        return False

    return sum(seat(place, set()) for place in range(len(places)))

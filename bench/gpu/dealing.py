"""How long a grid of unequal blocks takes on all multiprocessors."""

import heapq
from collections.abc import Iterator, Sequence


class _Multiprocessor:
    """Its blocks, by the work that is left of each, in cycles of a multiprocessor that is
    full. Fewer blocks get on faster, each by what `sharing` says."""

    def __init__(self, sharing: Sequence[float]) -> None:
        full = sharing[-1] * len(sharing)
        # Cycles of work that each of 1, 2, … blocks does in a cycle.
        self.speed = [1 / len(sharing) * full / (cycles * (blocks + 1))
                      for blocks, cycles in enumerate(sharing)]
        self.left: list[float] = []
        self.time = 0.0

    def next_end(self) -> float:
        return self.time + min(self.left) / self.speed[len(self.left) - 1]

    def advance(self) -> None:
        """Until its next block ends."""
        end, least = self.next_end(), min(self.left)
        self.left = [work - least for work in self.left]
        self.left.remove(0.0)
        self.time = end


def _fill(places: Sequence[_Multiprocessor], resident: int, queue: Iterator[float]) -> None:
    """A block for each multiprocessor, then the next for each."""
    for _ in range(resident):
        for place in places:
            if (work := next(queue, None)) is not None:
                place.left.append(work)


def dealt_out(blocks: Sequence[float], multiprocessors: int, sharing: Sequence[float]) -> float:
    """Cycles until the last block ends, where each starts in the grid's order as soon as
    another one has ended.

    blocks[i] is what a full multiprocessor takes for a block of this kind when it has
    many; sharing[k - 1] the same, of any block, when it has k of them.
    """
    places = [_Multiprocessor(sharing) for _ in range(multiprocessors)]
    queue = iter(blocks)
    _fill(places, len(sharing), queue)
    heap = [(place.next_end(), index) for index, place in enumerate(places) if place.left]
    heapq.heapify(heap)
    last = 0.0
    while heap:
        last, index = heapq.heappop(heap)
        place = places[index]
        place.advance()
        if (work := next(queue, None)) is not None:
            place.left.append(work)
        if place.left:
            heapq.heappush(heap, (place.next_end(), index))
    return last

"""Natural loops of code that is a list of instructions."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Step:
    """`target` is the label that it may jump to."""

    name: str
    labels: tuple[str, ...]  # that stand before it
    target: str | None
    falls_through: bool


def _ways(steps):
    places = {label: n for n, step in enumerate(steps) for label in step.labels}
    ways = []
    for n, step in enumerate(steps):
        way = [places[step.target]] if step.target in places else []
        if step.falls_through and n + 1 < len(steps):
            way.append(n + 1)
        ways.append(way)
    return ways


def _back_edges(ways):
    """(from, to), where `to` is on the way that leads to `from`."""
    edges, state = set(), {}  # True while a place is on the way
    for root in range(len(ways)):
        if root in state:
            continue
        state[root] = True
        stack = [(root, iter(ways[root]))]
        while stack:
            place, rest = stack[-1]
            for following in rest:
                if state.get(following):
                    edges.add((place, following))
                elif following not in state:
                    state[following] = True
                    stack.append((following, iter(ways[following])))
                    break
            else:
                state[place] = False
                stack.pop()
    return edges


def loops(steps):
    """{head: places} of each loop, in the order of their heads."""
    ways = _ways(steps)
    before = [[] for _ in steps]
    for place, way in enumerate(ways):
        for following in way:
            before[following].append(place)
    bodies = {}
    for latch, head in _back_edges(ways):
        body, rest = bodies.setdefault(head, {head}), [latch]
        while rest:
            place = rest.pop()
            if place not in body:
                body.add(place)
                rest += before[place]
    return dict(sorted(bodies.items()))


def outermost(bodies):
    """Those of such loops that are in no other one."""
    return {
        head: body for head, body in bodies.items()
        if not any(head in around for other, around in bodies.items() if other != head)
    }

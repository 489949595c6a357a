"""What other implementations' kernels reach: predicted by the same model, and published.

predicted_peers.json has the replay of their loops, and the predictions of their whole
kernels that were made of it when their cubins were at hand.
"""

import json
import pathlib
from typing import Any

PEERS = pathlib.Path(__file__).with_name("predicted_peers.json")
FA2, FLEX = "FlashAttention-2", "FlexAttention"
QUERIES, FLEX_BLOCK = 128, 128


def load() -> dict[str, Any]:
    return json.loads(PEERS.read_text())


def loop_name(peer: str, pattern: str, head_size: int, chip: str) -> str:
    """In predicted_peers.json. FlexAttention has one kernel for dense and causal, as its
    loop over full blocks is that of a dense mask."""
    if peer == FLEX:
        kind = {"window1024": "window"}.get(pattern, "causal")
        return f"Flex {kind} D{head_size} {'sm_80' if chip == 'A100' else 'sm_90'}"
    kind = {"window1024": "local"}.get(pattern, pattern)
    return f"FA2 {kind} D{head_size} {'sm_80' if chip == 'A100' else 'sm_90'}"


def loops_alone(peer: str, pattern: str, head_size: int, chip: str, n: int,
                peers: dict[str, Any]) -> float | None:
    """Useful TFLOP/s if nothing but the loops took time; None where the model has no
    loop of this mask.

    Both compute tiles of 128 queries. FlashAttention-2 visits those of 128 or 64 keys
    that the mask reaches, all by one loop; FlexAttention blocks of 128 keys, cut by the
    mask or not, by a loop each.
    """
    name = loop_name(peer, pattern, head_size, chip)
    loops = next((entry["loops"] for entry in peers["loops"] if entry["kernel"] == name), None)
    width = {"dense": n, "causal": n, "window1024": 1024}.get(pattern)
    if loops is None or width is None:
        return None
    rows, live, seconds = n // QUERIES, 0, 0.0
    for q in range(rows):
        reach = width // FLEX_BLOCK  # blocks back, of which the last one is cut
        blocks = rows if pattern == "dense" else min(q, reach) + 1
        cut = 0 if pattern == "dense" else 1 + (q >= reach)
        for count, loop in ((cut, loops[0]), (blocks - cut, loops[-1])):
            seconds += count / loop["tflops_of_tiles"]
        live += sum(n if pattern == "dense" else min(i + 1, width)
                    for i in range(q * QUERIES, (q + 1) * QUERIES))
    family = f"{peer} {chip}"
    return live / (QUERIES * FLEX_BLOCK * seconds) * peers["calibration"][family]


def describe(n: int) -> dict[str, Any]:
    """For the file of results."""
    peers = load()
    predicted = []
    for entry in peers["predicted"]:
        alone = loops_alone(entry["peer"], entry["pattern"], entry["head_size"], entry["chip"],
                            n, peers)
        predicted.append({**entry, "loops_alone_tflops": alone and round(alone, 1)})
    return {"what": peers["what"], "calibration": peers["calibration"],
            "predicted": predicted, "published": peers["published"]}

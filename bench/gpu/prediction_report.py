"""The predictions' part of docs/Performance.md."""

from typing import Any

from cases import WIDTH
from documents import Document
from predicted_peers import FA2, FLEX

SHOWN = ("A100", "H100")
TABLE_HEAD = (
    "| mask | µs | useful TFLOP/s | balanced | FlashAttention-2 | FlexAttention | published"
    " | goal | measured |\n" + "|---" * 9 + "|"
)
BOUND_HEAD = (
    "| chip | D | mask | tokens | heads | µs | visited pairs at the dense rate, µs"
    " | bytes at the memory's, µs | over the larger | goal |\n" + "|---" * 10 + "|"
)
KERNEL_HEAD = (
    "| chip | D | mask | kernel | registers | blocks | full tile | bound | partial tile"
    " | beside loops | balance |\n" + "|---" * 11 + "|"
)


def measured_tflops(item: dict[str, Any], measured: list[Document]) -> float | None:
    """Of the same case on such a chip, where a GPU has run it."""
    same = ("pattern", "dtype", "head_size", "heads", "key_heads", "batches", "n")
    if item["sizes_known"] or item["queries"] != item["n"]:
        return None  # the benchmark has functions for all sizes and square cases alone
    for document in measured:
        if item["chip"] not in document.content.get("device", {}).get("name", ""):
            continue
        for case in document.items("case"):
            ours = case["contestants"].get("ours", {})
            if "useful_tflops" in ours and all(case.get(k) == item[k] for k in same):
                return ours["useful_tflops"]
    return None


def _peer(item: dict[str, Any], peers: list[dict[str, Any]], name: str | None = None) -> str:
    """Of one implementation, or of whatever is published."""
    found = [peer for peer in peers if peer["pattern"] == item["case"]
             and all(peer[key] == item[key] for key in ("chip", "head_size"))
             and (name is None or peer["peer"] == name)]
    if not found:
        return ""
    which = "" if name else f" {found[0]['peer']}"
    return f"{found[0]['useful_tflops']}{which}"


def _title(item: dict[str, Any]) -> str:
    """Of decoding with its heads, which are not those of the table."""
    if item["queries"] == item["n"]:
        return item["title"]
    return f"{item['title']}, {item['heads']} heads over {item['key_heads']}"


def _row(item: dict[str, Any], peers: dict[str, Any], measured: list[Document]) -> str:
    found = measured_tflops(item, measured)
    cells = [_title(item), f"{item['seconds'] * 1e6:.0f}", f"{item['useful_tflops']:.3g}",
             f"{item['balanced_tflops']:.3g}", _peer(item, peers["predicted"], FA2),
             _peer(item, peers["predicted"], FLEX), _peer(item, peers["published"]),
             str(item["goal_tflops"] or ""), "" if found is None else f"{found:.3g}"]
    return "| " + " | ".join(cells) + " |"


def _is_bounded(item: dict[str, Any]) -> bool:
    return "most_over_bound" in item


def _bound_row(item: dict[str, Any], dense: dict[str, Any]) -> str:
    """`dense`: the dense case on the same chip with heads of the same size."""
    flops = 4 * item["head_size"] * item["visited_pairs"]
    computed = flops / (dense["useful_tflops"] * 1e12)
    moved = item["dram_seconds"]
    over = item["seconds"] / max(computed, moved)
    missed = " **missed**" if over > item["most_over_bound"] else ""
    cells = [item["chip"], str(item["head_size"]), item["title"],
             str(item["n"]) if item["queries"] == item["n"] else f"1 over {item['n']}",
             f"{item['heads']} over {item['key_heads']}"]
    cells += [f"{seconds * 1e6:.1f}" for seconds in (item["seconds"], computed, moved)]
    cells += [f"{over:.2f}{missed}", str(item["most_over_bound"])]
    return "| " + " | ".join(cells) + " |"


def bounds(items: list[dict[str, Any]]) -> str:
    """Of cases with few key tiles a query tile, where the dense case is there to compare."""
    dense = {(item["chip"], item["head_size"]): item for item in items
             if item["case"] == "dense"}
    rows = [_bound_row(item, dense[item["chip"], item["head_size"]]) for item in items
            if _is_bounded(item) and (item["chip"], item["head_size"]) in dense]
    if not rows:
        return ""
    listed = "\n".join(rows)
    return ("Few key tiles a query tile, or few queries. A call is to take little more than its"
            " visited pairs do at the rate of dense attention, or its bytes, those of partial"
            " results among them, at the bandwidth on paper, whichever takes longer:\n\n"
            f"{BOUND_HEAD}\n{listed}\n")


def _kernel_row(item: dict[str, Any], launch: dict[str, Any]) -> str:
    loops = launch["loops"]

    def cell(kind: str) -> str:
        return "; ".join(f"{loop['instructions']}, {loop['cycles']:.0f}"
                         for name, loop in loops.items() if name.startswith(kind))

    bound = loops.get("full", {})
    cells = [item["chip"], str(item["head_size"]), item["title"], launch["role"],
             str(launch["registers"]), f"{launch['blocks_a_multiprocessor']}", cell("full"),
             f"{bound['bound_cycles']:.0f} {bound['bound_by']}" if bound else "",
             cell("partial"), f"{launch['cycles_beside_loops']:.0f}", f"{launch['balance']:.2f}"]
    return "| " + " | ".join(cells) + " |"


def _cost_row(item: dict[str, Any]) -> str:
    """Parts of the time of a call, and what the loop that most tiles have would gain."""
    rows = next(launch for launch in item["launches"] if "rows" in launch["role"].split("+"))
    tiles = {name: loop["tiles_of_all_blocks"] for name, loop in rows["loops"].items()}
    cycles = {name: loop["cycles"] for name, loop in rows["loops"].items()}
    masked = sum(tiles[name] * (cycles[name] - cycles.get("full", 0))
                 for name in tiles if name.startswith("partial"))
    beside = rows["blocks"] * rows["cycles_beside_loops"]
    total = beside + sum(tiles[name] * cycles[name] for name in tiles)
    share = rows["seconds"] / item["seconds"]
    gaining = [name for name in tiles if rows["loops"][name]["gains"]]
    most = rows["loops"][max(gaining, key=lambda name: tiles[name])]
    parts = [share * rows["balance"] * masked / total if "full" in cycles else 0,
             share * rows["balance"] * beside / total, share * (1 - rows["balance"]), 1 - share]
    cells = [item["chip"], str(item["head_size"]), item["title"]]
    # Without a 0 below 0.
    cells += [f"{round(part, 2) + 0.0:.0%}" for part in parts]
    cells += [f"{round(gain, 2) + 0.0:+.0%}" for gain in most["gains"].values()]
    return "| " + " | ".join(cells) + " |"


def costs(items: list[dict[str, Any]]) -> str:
    names = next(loop["gains"] for launch in items[0]["launches"]
                 for loop in launch["loops"].values() if loop["gains"])
    head = ["chip", "D", "mask", "masks", "beside loops", "imbalance", "other launches", *names]
    rows = "\n".join(map(_cost_row, items))
    return ("What costs time. Of a call: masks in partial tiles, what blocks do beside their"
            " loops, multiprocessors that wait for the last one, launches for heavy rows and"
            " draws. Of the loop over most tiles, what it would gain if a part took no time, or"
            " if one more block fitted:\n\n"
            f"| {' | '.join(head)} |\n{'|---' * len(head)}|\n{rows}\n")


def introduction(document: Document) -> str:
    content = document.content
    model, versions = content["model"], content["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    command = "\n".join(content["commands"])
    return f"""\
**These figures are predicted, not measured.** The SASS of each kernel is replayed on a
model of one multiprocessor, and the speed multiplied by {model['calibration']} ± {model['uncertainty']}, which is what
FlashAttention-2 reaches of the same model ([how](../bench/README.md#a-prediction)). Ratios
of two kernels hold to about {model['between_kernels']:.0%}. Kernels of {content['build']['commit']},
{listed}, {content['date']}:

```sh
{command}
```

*Balanced* is what kernels would reach if all multiprocessors ended together. That is how
FlashAttention-2 and FlexAttention are predicted, by the same model, at commit ab567e0.
*Published* figures are of other machines and lengths. *Goal* is what kernels of mma.sync are
to reach.
"""


def render(document: Document, measured: list[Document]) -> str:
    items, peers = document.items("prediction"), document.content["peers"]
    parts = [introduction(document)]
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for item in items:
        # With heads of their own, they stand in a table of their own.
        if _is_bounded(item) and item["case"] != "decode":
            continue
        groups.setdefault((item["chip"], item["dtype"], item["head_size"]), []).append(item)
    for (chip, dtype, size), group in sorted(groups.items()):
        rows = "\n".join(_row(item, peers, measured) for item in group)
        parts.append(f"**Predicted for {chip}, {dtype}, D = {size}, {group[0]['n']} tokens,"
                     f" {WIDTH // size} heads**\n\n{TABLE_HEAD}\n{rows}\n")
    parts += filter(None, [bounds(items)])
    # H200's are H100's.
    items = [item for item in items if item["chip"] in SHOWN] or items
    rows = "\n".join(_kernel_row(item, launch) for item in items for launch in item["launches"]
                     if launch["loops"])
    parts.append("What they are made of: instructions and cycles of a multiprocessor for a"
                 " tile of keys, the least cycles that its busiest pipe allows, cycles of a block"
                 " beside its loops; *blocks* share a multiprocessor, *balance* is the part of"
                 f" the time that multiprocessors are at work.\n\n{KERNEL_HEAD}\n{rows}\n")
    parts.append(costs(items))
    notes = "\n".join(f"- {text}" for text in document.content["model"]["assumptions"])
    return "\n".join([*parts, f"The model takes for granted:\n\n{notes}\n"])

"""The GPU's part of docs/Performance.md."""

from typing import Any

from documents import CAUSAL, DENSE, LAYERS, Document, by_shape, fastest

MEASURE = """\
```sh
python3 bench/gpu/build.py -o build/bench-gpu --variants      # where the compiler is
python3 bench/gpu/run.py --packages build/bench-gpu --check-only --output checks.json
python3 bench/gpu/run.py --packages build/bench-gpu --no-checks --budget 1200 --output bench/results/gpu.json
python3 bench/gpu/variants.py --packages build/bench-gpu --budget 300 --output bench/results/gpu_variants.json
```
"""
NOTHING_YET = f"""\
**There is no measurement on a GPU yet.** The kernels run in the emulator, are assembled by
`ptxas`, and have never run on a GPU, so of their speed there is only a prediction. What
will measure them ([how](../bench/README.md)) is there and tested without one; it needs the
directory `build/bench-gpu`, Python and PyTorch on the machine with the GPU, no compiler of
ours:

{MEASURE}"""


def _ratio(case: dict[str, Any], found: tuple[str, dict[str, Any]] | None) -> str:
    ours = case["contestants"].get("ours", {}).get("seconds")
    return f"{found[1]['seconds'] / ours:.2f}" if found and ours else ""


def _peer_cells(case: dict[str, Any], names: tuple[str, ...]) -> str:
    """The fastest one's time, and how many times ours that is; or why there is none."""
    found = fastest(case, names)
    if found:
        name, result = found
        which = f" {name.removeprefix('sdpa_').removesuffix('_causal')}" if len(names) > 1 else ""
        wrong = " **wrong**" if result.get("agrees") is False else ""
        return f"{result['seconds'] * 1e3:.3f}{which}{wrong} | {_ratio(case, found)}"
    present = [case["contestants"][name] for name in names if name in case["contestants"]]
    return "failed |" if present else "|"


def _case_row(case: dict[str, Any]) -> str:
    ours = case["contestants"].get("ours", {})
    if "seconds" in ours:
        wrong = " **wrong**" if ours.get("within_goal") is False else ""
        mine = f"{ours['seconds'] * 1e3:.3f}{wrong} | {ours['useful_tflops']:.3g}"
    else:
        mine = f"{ours.get('error', 'not measured')} |"
    cells = [case["title"], str(case["n"]), f"{case['density']:.2%}", mine]
    cells += [_peer_cells(case, names) for names in (("flex",), DENSE, CAUSAL, LAYERS)]
    return "| " + " | ".join(cells) + " |"


TABLE_HEAD = (
    "| pattern | n | live | ours, ms | useful TFLOP/s | Flex, ms | × | SDPA dense, ms | ×"
    " | SDPA causal, ms | × | HF layer, ms | × |\n" + "|---" * 13 + "|"
)


def device_text(document: Document) -> str:
    content = document.content
    device, versions = content.get("device", {}), content.get("versions", {})
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    state = device.get("state_at_start", {})
    clocks = ", ".join(f"{name.removeprefix('clocks.')} {value}" for name, value in state.items()
                       if name.startswith("clocks.") or name.startswith("power."))
    lines = [f"### {device.get('name', 'unknown device')}, {content['date']}\n"]
    if content.get("smoke"):
        lines.append("**A try of the benchmark itself: these figures mean nothing.**\n")
    lines.append(f"Driver {device.get('driver')}; {listed}."
                 + (f" At the start: {clocks}." if clocks else "")
                 + f" Kernels of {content['build'].get('commit')} for"
                 f" {content['build'].get('target')}. Made by:\n")
    lines.append("```sh\n" + "\n".join(content["commands"]) + "\n```\n")
    return "\n".join(lines)


def checks_text(document: Document) -> str:
    checks = document.items("check")
    failed = [check for check in checks if not check["passed"]]
    text = f"Checks against double precision: {len(checks) - len(failed)} of {len(checks)} passed."
    for check in failed:
        text += (f"\n- {check['function']} at {check['n']} tokens: largest error"
                 f" {check['max_abs_error']:.2e} (PyTorch's {check['eager_max_abs_error']:.2e})"
                 f" {'; '.join(check['memory_errors'])}")
    return text + "\n"


def overhead_text(document: Document) -> str:
    rows = document.items("overhead")
    if not rows:
        return ""
    lines = ["What a call costs the CPU, in µs, and a call in a CUDA graph:\n",
             "| function | ours | in a graph | SDPA flash | FlexAttention |",
             "|---|---|---|---|---|"]
    for row in rows:
        def micro(name: str, key: str = "cpu_seconds_per_call") -> str:
            value = row["contestants"].get(name, {}).get(key)
            return "" if value is None else f"{value * 1e6:.1f}"

        lines.append(f"| {row['title']} | {micro('ours')}"
                     f" | {micro('ours', 'graph_seconds_per_call')}"
                     f" | {micro('sdpa_flash')} | {micro('flex')} |")
    return "\n".join(lines) + "\n"


def block_mask_text(document: Document) -> str:
    """FlexAttention's own preparation, which its times leave out."""
    found = [(case, case["contestants"].get("flex", {})) for case in document.items("case")]
    found = [(case, flex) for case, flex in found if "block_mask_seconds" in flex]
    if not found:
        return ""
    case, flex = max(found, key=lambda entry: (entry[0]["n"], entry[1]["block_mask_seconds"]))
    return (f"FlexAttention's times leave out its block mask. The costliest: {case['title']} at"
            f" {case['n']} tokens, {flex['block_mask_seconds'] * 1e3:.1f} ms, the first time,"
            f" with compilation, {flex['block_mask_first_seconds']:.1f} s.\n")


def failures_text(document: Document) -> str:
    """Each error once, with the cases that have it."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, error in document.failures().items():
        found.setdefault(("the whole item", error), []).append(key)
    for key, item in document.content.get("items", {}).items():
        for name, result in item.get("contestants", {}).items():
            if "error" in result:
                found.setdefault((name, result["error"]), []).append(key)
    lines = []
    for (name, error), keys in found.items():
        more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        lines.append(f"- {name}: {error} (`{keys[0]}`{more})")
    left = len(document.content.get("not_run", []))
    if left:
        lines.append(f"- {left} items not run for lack of time")
    return "\n".join(["Failed, or not there:\n", *lines]) + "\n" if lines else ""


def render(document: Document) -> str:
    parts = [device_text(document), checks_text(document), overhead_text(document)]
    for shape, cases in by_shape(document.items("case")).items():
        rows = "\n".join(_case_row(case) for case in cases)
        parts.append(f"**{shape.title}** (× is time in ours)\n\n{TABLE_HEAD}\n{rows}\n")
    parts += [block_mask_text(document), failures_text(document)]
    return "\n".join(part for part in parts if part)


def render_variants(document: Document) -> str:
    parts = [device_text(document)]
    for sweep in document.items("variants"):
        lines = [f"**{sweep['title']}**, {sweep['n']} tokens, D = {sweep['head_size']}\n",
                 "| variant | ms | useful TFLOP/s | in the compiler's choice | ptxas |",
                 "|---|---|---|---|---|"]
        for name, result in sorted(sweep["contestants"].items(),
                                   key=lambda entry: entry[1].get("seconds", float("inf"))):
            if "seconds" not in result:
                lines.append(f"| {name} | {result.get('error', 'not measured')} | | | |")
                continue
            wrong = " **wrong**" if result.get("within_goal") is False else ""
            lines.append(f"| {name} | {result['seconds'] * 1e3:.3f}{wrong}"
                         f" | {result['useful_tflops']:.3g} | {result.get('times_ours', 0):.2f}"
                         f" | {result.get('resources') or ''} |")
        parts.append("\n".join(lines) + "\n")
    failures = failures_text(document)
    return "\n".join([*parts, failures] if failures else parts)

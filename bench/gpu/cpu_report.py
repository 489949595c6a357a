"""The CPU's part of docs/Performance.md."""

from collections.abc import Callable
from typing import Any

NAMES = {
    "sparse_attn": "sparse_attn",
    "torch_dense": "PyTorch, dense",
    "torch_masked": "PyTorch, dense with the mask",
    "torch_flex": "FlexAttention, compiled",
}


def machine_text(content: dict[str, Any]) -> str:
    return (f"{content['cpu']}, {content['threads']} threads of {content['cores']} cores,"
            f" {content['date']}; made by `{content['command']}`.")


def longformer(content: dict[str, Any]) -> str:
    batches, heads, n, size = content["shape"]
    lines = [
        f"### Longformer, window {content['window']}, {n} tokens, {heads} heads of {size},"
        f" {content['dtype']}\n",
        machine_text(content) + f" PyTorch {content['torch']}. Of the result,"
        f" {'checked rows are within' if content.get('passed') else 'rows are beyond'}"
        f" tolerance, the largest error {content.get('max_abs_error', 0):.1e}.\n",
        "| | ms | useful GFLOP/s | times ours |",
        "|---|---|---|---|",
    ]
    for name, entry in content["measured"].items():
        title = NAMES.get(name, name)
        if "error" in entry:
            lines.append(f"| {title} | {entry['error']} | | |")
        else:
            lines.append(f"| {title} | {entry['seconds'] * 1e3:.1f}"
                         f" | {entry['useful_gflops']:.0f} | {entry['times_ours']:.2f} |")
    return "\n".join(lines) + "\n"


def linear(content: dict[str, Any]) -> str:
    window, memory = content["window"], content["memory"]
    lines = [
        "### Length, memory and compile time\n",
        machine_text(content) + "\n",
        f"Of one head of 64 in f32 with `{window['mask']}`, the slope of log time over log"
        f" length is {window['slope']:.3f} (1 is linear, 2 is dense):\n",
        "| tokens | ms | useful GFLOP/s |",
        "|---|---|---|",
    ]
    lines += [f"| {row['length']} | {row['seconds'] * 1e3:.1f}"
              f" | {row['useful_gflops']:.0f} |" for row in window["lengths"]]
    lines += [
        f"\n`{memory['mask']}` at {memory['length']} tokens: the process has"
        f" {memory['peak_rss_bytes'] / 2**20:.0f} MiB at most, of which"
        f" {memory['tensor_bytes'] / 2**20:.0f} MiB are Q, K, V and O;"
        f" {memory['wall_seconds']:.1f} s from MLIR to the"
        f" {'checked' if memory['passed'] else 'WRONG'} result.\n",
        "| example | MLIR to LLVM dialect, s | MLIR to result, s | the kernel, ms |",
        "|---|---|---|---|",
    ]
    lines += [f"| {row['example']} | {row['pipeline_wall_seconds']:.2f}"
              f" | {row['run_wall_seconds']:.2f} | {row['kernel_seconds'] * 1e3:.1f} |"
              for row in content["examples"]]
    return "\n".join(lines) + "\n"


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "cpu_longformer": longformer,
    "cpu_linear": linear,
}

"""What the benchmarks share: the tool, the machine, timing, results."""

import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"


def tool(name):
    """The path of a tool in the build tree."""
    path = ROOT / "build" / "bin" / name
    if not path.exists():
        sys.exit(f"build/bin/{name} is missing; build it with scripts/build.sh")
    return str(path)


def attention_module(mask, shape, dtype="f32"):
    """An MLIR module with one attention, shape = (B, H, S, D)."""
    tensor = f"tensor<{'x'.join(map(str, shape))}x{dtype}>"
    return f"""\
func.func @attention(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
  %init = tensor.empty() : {tensor}
  %o = sparse_attn.attention mask({mask})
      ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
      outs(%init : {tensor}) -> {tensor}
  return %o : {tensor}
}}
"""


class Run:
    """One finished process: its JSON, wall and user time, and peak resident memory."""

    def __init__(self, output, wall_seconds, user_seconds, peak_rss_bytes):
        self.output = output
        self.wall_seconds = wall_seconds
        self.user_seconds = user_seconds
        self.peak_rss_bytes = peak_rss_bytes


def run_process(command):
    """Runs `command`; ends the program with its messages when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT)
        # wait4 gives the memory of this child alone.
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            sys.exit(
                f"{' '.join(command)} failed ({child.returncode}):\n"
                + (out.read() + err.read()).decode(errors="replace")
            )
        # Linux counts ru_maxrss in KiB.
        return Run(out.read().decode(), wall, usage.ru_utime, usage.ru_maxrss * 1024)


def run_attention(module, repeat, threads, check_rows=None):
    """Runs `module` with sparse-attn-run; returns its JSON and the Run."""
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write(module)
        file.flush()
        command = [
            tool("sparse-attn-run"), file.name, "--device=cpu",
            f"--repeat={repeat}", f"--threads={threads}", "--json",
        ]
        if check_rows:
            command.append(f"--check={check_rows}")
        run = run_process(command)
    result = json.loads(run.output)
    # One object for each function that was run.
    if isinstance(result, list):
        result = result[0]
    return result, run


def sliding_window_pairs(n, left, right):
    """Live pairs of one head of sliding_window<left, right> at Sq = Sk = n."""
    return sum(min(i + right, n - 1) - max(i - left, 0) + 1 for i in range(n))


def longformer_pairs(n, window):
    """Live pairs of one head of longformer<window, global_tokens = [0]>."""
    half = window // 2
    # Row and column 0 see what their window does not hold already.
    return sliding_window_pairs(n, half, half) + 2 * max(n - 1 - half, 0)


def cpu_model():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def machine():
    """Where and when the numbers were taken."""
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "command": "python3 " + " ".join(
            [os.path.relpath(sys.argv[0], ROOT)] + sys.argv[1:]
        ),
    }


def write_results(name, results):
    """Writes bench/results/NAME.json, whole or not at all."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    temporary = path.with_suffix(".json.tmp")
    temporary.write_text(json.dumps(results, indent=2) + "\n")
    temporary.replace(path)
    print(f"wrote {path.relative_to(ROOT)}")

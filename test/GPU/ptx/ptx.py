"""PTX of attention kernels, taken apart."""

import collections
import dataclasses
import re
import subprocess

import flow
from flow import Step

ASSEMBLY = re.compile(r'assembly = "((?:[^"\\]|\\.)*)"')
LAUNCH = re.compile(
    r"gpu\.launch_func +@\w+::@(\w+)(?:.*?dynamic_shared_memory_size %c(\d+)_i32)?"
)
LABEL = re.compile(r"^(\$L__\w+):")
BRANCH = re.compile(r"\bbra(?:\.uni)?\s+(\$L__\w+)")
INSTRUCTION = re.compile(r"^\s+(?:@!?%p\d+\s+)?([a-z][\w.:]*)")


@dataclasses.dataclass(frozen=True)
class Kernels:
    """Of one function."""

    ptx: str
    dynamic_shared: dict[str, int]  # bytes, by kernel


def compile_kernels(text, **options):
    """The kernels of each function of a module."""
    listed = " ".join(f"{key.replace('_', '-')}={options[key]}" for key in options)
    done = subprocess.run(
        ["sparse-attn-opt", "-", f"--sparse-attn-nvvm-pipeline={listed}"],
        input=text, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    unescape = lambda byte: chr(int(byte[1], 16))
    modules = re.split(r"(?=gpu\.binary )", done.stdout)
    kernels = []
    for host, binary in zip(modules, modules[1:]):
        launches = {
            found[1]: int(found[2] or 0) for found in LAUNCH.finditer(host)
        }
        ptx = ASSEMBLY.search(binary)[1]
        ptx = re.sub(r"\\([0-9A-F]{2})", unescape, ptx)
        kernels.append(Kernels(ptx, launches))
    return kernels


def steps_of(ptx):
    steps, labels = [], []
    for line in ptx.splitlines():
        if label := LABEL.match(line):
            labels.append(label[1])
        elif found := INSTRUCTION.match(line):
            target, name = BRANCH.search(line), found[1]
            ends = name in ("ret", "exit", "bra", "bra.uni") and "@" not in line
            steps.append(Step(name, tuple(labels), target[1] if target else None, not ends))
            labels = []
    return steps


def loops(ptx):
    """How often each instruction stands in each loop that is in no other one, in order."""
    steps = steps_of(ptx)
    return [
        collections.Counter(steps[place].name for place in body)
        for body in flow.outermost(flow.loops(steps)).values()
    ]


def ordinary(ptx):
    """The loops over key tiles that trust their operands. They stand before the barrier
    that asks whether their result can be trusted, unless the code of the loop over full
    tiles was put behind those of the fallback path, which all select something."""
    before, barrier, _ = ptx.partition("bar.red")
    assert barrier
    bodies = [body for body in loops(ptx) if count(body, "mma")]
    number = sum(count(body, "mma") > 0 for body in loops(before))
    return bodies[:number] + [
        body for body in bodies[number:] if not count(body, "selp", "bar.red")
    ]


def count(body, *patterns):
    """Of all instructions that match one of the patterns from their start."""
    matches = re.compile("|".join(patterns)).match
    return sum(number for name, number in body.items() if matches(name))

"""SASS of kernels: the loops over key tiles, counted. nvdisasm must be in PATH."""

import re
import subprocess

import flow
from flow import Step

SECTION = re.compile(r"^\s*\.section\s+\.text\.(\w+)")
LABEL = re.compile(r"^(\.L_\w+):")
INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)")
# A predicate, before the instruction or as its operand.
CONDITION = re.compile(r"@!?U?P|BRA\.DIV|BRA(?:\.U)? !?U?P\d")
BRANCH = re.compile(r"\bBRA\b.*`\((\.L_\w+)\)")


def kernels(cubin):
    """(name, lines) of each kernel of a cubin file."""
    done = subprocess.run(["nvdisasm", "-c", cubin], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    starts = [(n, found[1]) for n, line in enumerate(lines) if (found := SECTION.match(line))]
    ends = [n for n, _ in starts[1:]] + [len(lines)]
    return [(name, lines[start:end]) for (start, name), end in zip(starts, ends)]


def steps_of(lines):
    steps, labels = [], []
    for line in lines:
        if label := LABEL.match(line):
            labels.append(label[1])
        elif found := INSTRUCTION.match(line):
            target, name = BRANCH.search(line), found[1]
            ends = name in ("EXIT", "RET", "BRA") and not CONDITION.search(line)
            steps.append(Step(name, tuple(labels), target[1] if target else None, not ends))
            labels = []
    return steps


def loops(lines):
    """[instructions, products, spills, selects] of each innermost loop with products, as
    they stand. Products are instructions of the tensor cores, which work on 16 rows and 8
    columns each; spills are loads and stores of local memory; selects are of scores that
    a mask takes out, so that a loop over full tiles has none."""
    steps = steps_of(lines)
    opcodes = [step.name for step in steps]
    bodies = {
        head: body for head, body in flow.loops(steps).items()
        if any(opcodes[place] == "HMMA" for place in body)
    }
    inner = [
        body for head, body in bodies.items()
        if not any(other in body for other in bodies if other != head)
    ]
    count = lambda body, *names: sum(opcodes[n] in names for n in body)
    return [
        [len(body), *(count(body, *names) for names in (["HMMA"], ["LDL", "STL"], ["FSEL"]))]
        for body in inner
    ]

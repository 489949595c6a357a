"""SASS of kernels: the loops over key tiles, counted. nvdisasm must be in PATH."""

import re
import subprocess

SECTION = re.compile(r"^\s*\.section\s+\.text\.(\w+)")
LABEL = re.compile(r"^(\.L_\w+):")
INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)")
BRANCH = re.compile(r"\bBRA\b.*`\((\.L_\w+)\)")


def kernels(cubin):
    """(name, lines) of each kernel of a cubin file."""
    done = subprocess.run(["nvdisasm", "-c", cubin], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    starts = [(n, found[1]) for n, line in enumerate(lines) if (found := SECTION.match(line))]
    ends = [n for n, _ in starts[1:]] + [len(lines)]
    return [(name, lines[start:end]) for (start, name), end in zip(starts, ends)]


def loops(lines):
    """[instructions, products] of each innermost loop with products, as they stand.

    A loop is what lies between a label and the last branch back to it. Products are
    instructions of the tensor cores, which work on 16 rows and 8 columns each.
    """
    places, ends, opcodes = {}, {}, []
    for line in lines:
        if label := LABEL.match(line):
            places[label[1]] = len(opcodes)
        elif found := INSTRUCTION.match(line):
            target = BRANCH.search(line)
            if target and target[1] in places:
                ends[places[target[1]]] = len(opcodes)
            opcodes.append(found[1])
    bodies = {start: opcodes[start : end + 1] for start, end in ends.items()}
    with_products = {start: body for start, body in bodies.items() if "HMMA" in body}
    inner = [
        body for start, body in with_products.items()
        if not any(start < other < start + len(body) for other in with_products)
    ]
    return [[len(body), body.count("HMMA")] for body in inner]

"""Which kernels spill registers, and where, over head sizes, masks, types and chips.

    python test/GPU/ptx/spills.py --heads 72 576/512 --examples causal mistral --chips sm_90

prints a line for each kernel that has local memory, with the bytes that it stores, loads
and keeps, its loads and stores in loops over full tiles, and its loops as sass.loops has
them; at last the number of kernels that have none. sparse-attn-opt, ptxas and nvdisasm must be in PATH. Masks are those of examples.
"""

import argparse
import concurrent.futures
import dataclasses
import re

from ptx import compile_kernels
from resources import CHIPS, EXAMPLES, full_tile_spills, needs_of

HEADS = ("16", "40", "64", "72", "80", "96", "104", "128", "160", "192", "256", "320", "512",
         "576/512")
TYPES = ("bf16", "f32")
# Heads of f32 have at most so many elements.
MOST_SINGLE = 256
OPERANDS = re.compile(r"ins\(%q, %k, %v : tensor<([^>]*)x\w+>,\s*tensor<([^>]*)x\w+>")


@dataclasses.dataclass(frozen=True)
class Case:
    """The mask of an example with heads of another size, and lengths unknown to the
    compiler unless `fixed`."""

    example: str
    d: int
    dv: int
    dtype: str
    chip: str
    fixed: bool = False

    def __str__(self):
        head = self.d if self.d == self.dv else f"{self.d}/{self.dv}"
        return f"{self.example} {head} {self.dtype} {self.chip}" + " fixed" * self.fixed

    def is_supported(self):
        return self.dtype != "f32" or max(self.d, self.dv) <= MOST_SINGLE

    def text(self):
        source = TEXTS[self.example]
        masks = "\n".join(re.findall(r"^#.*$", source, re.M))
        (mask,) = re.findall(r"attention mask\((.*?)\)(?: scale|\n)", source)
        shapes = [shape.split("x")[:3] for shape in OPERANDS.search(source).groups()]

        def tensor(shape, size):
            sizes = shape if self.fixed else ["?"] * 3
            return f"tensor<{'x'.join(sizes)}x{size}x{self.dtype}>"

        q, k = (tensor(shape, self.d) for shape in shapes)
        o, v = (tensor(shape, self.dv) for shape in shapes)
        return f"""
            {masks}
            func.func @f(%q: {q}, %k: {k}, %v: {v}, %o: {o}) -> {o} {{
              %r = sparse_attn.attention mask({mask})
                ins(%q, %k, %v : {q}, {k}, {v}) outs(%o : {o}) -> {o}
              return %r : {o}
            }}"""


TEXTS = {path.stem: path.read_text() for path in EXAMPLES}


def needs(case):
    """Of each kernel of a case, by name: what resources.needs_of says."""
    (kernels,) = compile_kernels(case.text(), chip=case.chip, strides="any")
    return needs_of(kernels, case.chip)


def spilled(kernel):
    """Bytes: of stores and loads as they stand, and of the stack."""
    return [kernel[k] for k in ("spill_stores", "spill_loads", "stack")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heads", nargs="+", default=HEADS, help="D or D/DV")
    parser.add_argument("--examples", nargs="+", default=list(TEXTS), choices=list(TEXTS))
    parser.add_argument("--types", nargs="+", default=TYPES)
    parser.add_argument("--chips", nargs="+", default=CHIPS)
    parser.add_argument("--fixed", action="store_true", help="lengths are known")
    arguments = parser.parse_args()
    cases = []
    for head in arguments.heads:
        d, _, dv = head.partition("/")
        cases += [
            Case(example, int(d), int(dv or d), dtype, chip, arguments.fixed)
            for dtype in arguments.types for chip in arguments.chips
            for example in arguments.examples
        ]
    cases = [case for case in cases if case.is_supported()]
    none = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, kernels in zip(cases, pool.map(needs, cases)):
            for name, kernel in kernels.items():
                if max(spilled(kernel)) == 0:
                    none += 1
                    continue
                print(f"{case} {name}: {spilled(kernel)}, over full tiles"
                      f" {full_tile_spills(kernel)}, loops {kernel['loops']}", flush=True)
    print(f"{none} kernels spill nothing")


if __name__ == "__main__":
    main()

"""Shrinks an example, so that every row of it can be checked in a second.

    reduce_example.py FILE [LENGTH]

prints FILE with its longest sequence at LENGTH, 390 unless said otherwise (a
multiple of no tile), the others in proportion, and one or two heads of keys. A
parameter of a mask that would span half the short sequence shrinks as much as the
sequence does; all others stay. Only the text is known here: tensor types of rank 4
and 3 (LSE), the integers in `#sparse_attn.…<…>`, and `--shape=S…=N` in comments.
"""

import re
import sys

LENGTH = 390
TENSOR = re.compile(r"tensor<((?:[0-9?]+x){3,4})(f32|f16|bf16)>")
MASK = re.compile(r"#sparse_attn\.[^\n]*")
PARAMETER = re.compile(r"\b(?!seed\b)(\w+) = (\d+)\b")
SHAPE = re.compile(r"--shape=(S[qk]?)=(\d+)")


def reduce_example(text, length=LENGTH):
    """The shrunk text, and its --shape options (none if sizes are static)."""
    shapes = [sizes.rstrip("x").split("x") for sizes, _ in TENSOR.findall(text)]
    if not shapes:
        raise ValueError("found no tensor of rank 3 or 4")
    bound = {name: int(size) for name, size in SHAPE.findall(text)}
    lengths = {int(shape[2]) for shape in shapes if shape[2] != "?"}
    longest = max(lengths | set(bound.values()))
    heads = {int(shape[1]) for shape in shapes}
    kept = min(2, min(heads))

    def shorten(size):
        return max(1, size * length // longest)

    def shrink_tensor(match):
        batch, count, size, *rest = match[1].rstrip("x").split("x")
        count = int(count) * kept // min(heads)
        size = size if size == "?" else shorten(int(size))
        return f"tensor<{'x'.join(map(str, [batch, count, size, *rest]))}x{match[2]}>"

    def shrink_parameter(match):
        name, value = match[1], int(match[2])
        if 2 * value >= length:
            value = shorten(value) // 2 * 2
        return f"{name} = {value}"

    code = "\n".join(
        line for line in text.splitlines() if not line.startswith("//")
    )
    code = TENSOR.sub(shrink_tensor, code)
    code = MASK.sub(lambda mask: PARAMETER.sub(shrink_parameter, mask[0]), code)
    options = [f"--shape={name}={shorten(size)}" for name, size in bound.items()]
    return code + "\n", options


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print(reduce_example(file.read(), *map(int, sys.argv[2:3]))[0], end="")

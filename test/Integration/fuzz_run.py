"""Runs random compositions of masks at random shapes and types, half of them with
random data operands, through the compiler and has each output row checked against
the fp64 reference.

usage: fuzz_run.py RUNNER CASES [SEED]

RUNNER is sparse-attn-run. Prints the MLIR of a failing case, which replays
with `RUNNER FILE --check=all --seed=CASE`, and exits non-zero.
"""

import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile


def primitive(rng, n):
    """The text of a random primitive mask or preset for n keys."""
    small = rng.choice([1, 2, 3, 5, 8, 16, 17, 32, 48, 64])
    reach = lambda: rng.choice(["unbounded", rng.randrange(0, n + 3)])
    choices = [
        "full",
        "causal",
        f"sliding_window<left = {reach()}, right = {reach()}>",
        f"sliding_window<left = {rng.randrange(0, 9)}, right = "
        f"{rng.randrange(0, 9)}, dilation = {rng.randrange(2, 9)}>",
        f"sliding_window<left = {rng.randrange(0, 4)}, right = "
        f"{rng.randrange(0, 4)}, block = {small}>",
        f"global<tokens = [{rng.randrange(-n, n)}, {rng.randrange(-n, n)}], "
        f"direction = {rng.choice(['both', 'rows', 'columns'])}>",
        f"global<first = {rng.randrange(0, min(n, 20) + 1)}, "
        f"last = {rng.randrange(1, min(n, 20) + 1)}>",
        f"random<block = {small}, blocks_per_row = {rng.randrange(1, 4)}, "
        f"seed = {rng.randrange(0, 99)}, per_head = {rng.choice(['true', 'false'])}>",
        f"chunked<size = {small * 3}>",
        f"strided<stride = {small}>",
        f"prefix<length = {rng.randrange(1, n + 2)}>",
        f"longformer<window = {2 * rng.randrange(0, 40)}, global_tokens = "
        f"[{rng.randrange(0, n)}]>",
        f"bigbird<block = {small}, window_blocks = {rng.choice([1, 3, 5])}, "
        f"random_blocks = {rng.randrange(0, 4)}>",
        f"prefix_lm<length = {rng.randrange(1, n + 2)}>",
        f"streaming<sinks = {rng.randrange(0, 6)}, window = {rng.randrange(1, 40)}>",
        f"sparse_transformer_strided<stride = {small}>",
        f"sparse_transformer_fixed<stride = {small + 2}, columns = 2>",
    ]
    return "#sparse_attn." + rng.choice(choices)


def mask(rng, n, depth):
    kind = rng.randrange(0, 6) if depth > 0 else 0
    if kind < 3:
        return primitive(rng, n)
    if kind == 3:
        return f"#sparse_attn.complement<{mask(rng, n, depth - 1)}>"
    name = "union" if kind == 4 else "intersection"
    members = ", ".join(
        mask(rng, n, depth - 1) for _ in range(rng.randrange(2, 4)))
    return f"#sparse_attn.{name}<{members}>"


def data_operands(rng, batch, hq, sq, sk):
    """Arguments, constants and operands of random data: each a list of texts."""
    arguments, lines, operands = [], [], []

    def constant(name, values, bits=32):
        tensor = f"tensor<{batch}xi{bits}>"
        lines.append(f"%{name} = arith.constant dense<{values}> : {tensor}")
        operands.append(f"{name} = %{name} : {tensor}")

    def lengths(name, length):
        values = [rng.randrange(-1, length + 3) for _ in range(batch)]
        constant(name, values)
        return [min(max(value, 0), length) for value in values]

    def positions(queries, keys):
        """Of slots from 0 on, and of queries up to the last key: masks say nothing
        of what is beyond."""
        first = [0] * batch
        if rng.randrange(3):
            first = [rng.choice([0, 1, 16, 64, 70, 200, 2**20]) for _ in range(batch)]
            constant("key_position", first, bits=64)
        if rng.randrange(2):
            last = [p + nk - nq for p, nk, nq in zip(first, keys, queries)]
            constant("query_position", [
                p - rng.choice([0, 0, 1, 17, 64, 300]) for p in last], bits=64)

    def argument(name, shape):
        tensor = f"tensor<{'x'.join([*map(str, shape), 'f32'])}>"
        arguments.append(f", %{name}: {tensor}")
        operands.append(f"{name} = %{name} : {tensor}")

    keys, queries = [sk] * batch, [sq] * batch
    if rng.randrange(2):
        keys = lengths("key_lengths", sk)
    if rng.randrange(2):
        queries = lengths("query_lengths", sq)
    if not rng.randrange(3):
        lengths("key_begin", sk)
    if not rng.randrange(3):
        positions(queries, keys)
    if rng.randrange(2):
        argument("sinks", [hq])
    if not rng.randrange(3):
        argument("slopes", [hq])
    if not rng.randrange(3):
        shape = [rng.choice([1, size]) for size in (batch, hq, sq, sk)]
        argument("bias", shape[rng.randrange(0, 4):])
    rng.shuffle(operands)
    return arguments, lines, operands


def with_documents(rng, composed, batch, sk):
    """A mask of `composed` and documents, and the constant and the operand that tell
    these: one id for some neighbours each, or now and then any id."""
    def ids():
        some, kind = [], rng.randrange(4)
        while len(some) < sk:
            count = 1 if kind == 0 else rng.randrange(1, 60)
            some += [rng.randrange(-1, 4) if kind < 2 else len(some)] * count
        return some[:sk]

    tensor = f"tensor<{batch}x{sk}xi32>"
    line = f"%documents = arith.constant dense<{[ids() for _ in range(batch)]}> : {tensor}"
    document = "#sparse_attn.document"
    inside = f"#sparse_attn.intersection<{composed}, {document}>"
    masks = [
        inside, inside, f"#sparse_attn.union<{document}, {composed}>",
        f"#sparse_attn.union<{inside}, {primitive(rng, sk)}>",
        f"#sparse_attn.intersection<{composed}, #sparse_attn.complement<{document}>>",
    ]
    return rng.choice(masks), line, f"documents = %documents : {tensor}"


def with_listed(rng, composed, batch, sk):
    """A mask of `composed` and listed tokens, and the constant and the operand that
    tell these, of which some are none."""
    count = rng.choice([0, 1, 3, 8, 70])
    tokens = [[rng.randrange(-2, sk + 2) for _ in range(count)] for _ in range(batch)]
    tensor = f"tensor<{batch}x{count}xi32>"
    line = f"%tokens = arith.constant dense<{tokens if count else ''}> : {tensor}"
    listed = rng.choice([
        "#sparse_attn.global<listed>", "#sparse_attn.global<listed>",
        "#sparse_attn.global<listed, direction = rows>",
        "#sparse_attn.global<listed, direction = columns>"])
    inside = f"#sparse_attn.intersection<{composed}, {listed}>"
    masks = [
        inside, f"#sparse_attn.union<{listed}, {composed}>",
        f"#sparse_attn.union<{listed}, {composed}>",
        f"#sparse_attn.union<{inside}, {primitive(rng, sk)}>",
        f"#sparse_attn.intersection<{composed}, #sparse_attn.complement<{listed}>>",
    ]
    return rng.choice(masks), line, f"global_tokens = %tokens : {tensor}"


def score_region(rng, hq):
    """What a score region is, of some of these steps in any order, and its argument,
    a number for each head."""
    steps = [
        """%d{n} = arith.subi %i, %j : index
      %f{n} = arith.index_cast %d{n} : index to i32
      %x{n} = arith.sitofp %f{n} : i32 to f32
      %c{n} = arith.constant 0.0625 : f32
      %y{n} = arith.mulf %x{n}, %c{n} : f32
      %t{n} = arith.addf {s}, %y{n} : f32""",
        """%d{n} = arith.addi %i, %j : index
      %f{n} = arith.index_cast %d{n} : index to i32
      %c{n} = arith.constant 3 : i32
      %a{n} = arith.andi %f{n}, %c{n} : i32
      %z{n} = arith.constant 0 : i32
      %is{n} = arith.cmpi eq, %a{n}, %z{n} : i32
      %h{n} = arith.constant 0.5 : f32
      %y{n} = arith.mulf {s}, %h{n} : f32
      %t{n} = arith.select %is{n}, %y{n}, {s} : f32""",
        """%y{n} = math.tanh {s} : f32
      %c{n} = arith.constant 2.0 : f32
      %t{n} = arith.mulf %y{n}, %c{n} : f32""",
        """%y{n} = tensor.extract %factors[%h] : tensor<{hq}xf32>
      %t{n} = arith.addf {s}, %y{n} : f32""",
        """%c{n} = arith.constant -0.5 : f32
      %t{n} = arith.maximumf {s}, %c{n} : f32""",
        """%y{n} = math.absf {s} : f32
      %c{n} = arith.constant 1.0 : f32
      %z{n} = arith.addf %y{n}, %c{n} : f32
      %t{n} = math.log %z{n} : f32""",
        """%y{n} = math.absf {s} : f32
      %z{n} = arith.negf %y{n} : f32
      %t{n} = math.exp %z{n} : f32""",
    ]
    chosen = rng.sample(steps, rng.randrange(1, 4))
    lines, score = [], "%s"
    for n, step in enumerate(chosen):
        lines.append(step.format(n=n, s=score, hq=hq))
        score = f"%t{n}"
    body = "\n      ".join(lines)
    reads = any("factors" in line for line in lines)
    argument = [f", %factors: tensor<{hq}xf32>"] if reads else []
    operand = [f"extra = %factors : tensor<{hq}xf32>"] if reads else []
    return f""" score {{
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      {body}
      sparse_attn.yield {score} : f32
    }}""", argument, operand


def pages(rng, batch, sk):
    """The pages of a pool and the keys of one, with the constant and the operand that
    say which are whose, some of them none; or None."""
    sizes = [page for page in (16, 32, 48, 64) if sk % page == 0]
    if not sizes or rng.randrange(2):
        return None
    page, count = rng.choice(sizes), rng.randrange(1, 9)
    table = [[rng.randrange(-1, count + 1) for _ in range(sk // page)]
             for _ in range(batch)]
    tensor = f"tensor<{batch}x{sk // page}xi32>"
    line = f"%page_table = arith.constant dense<{table}> : {tensor}"
    return (count, page), line, f"page_table = %page_table : {tensor}"


def module(rng, data):
    """The text of a module with one attention op, sizes at random; `data` draws its
    data operands, which it has none of where that is None."""
    sizes = [1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 49, 64, 65, 97, 130, 200]
    sk, sq = rng.choice(sizes), rng.choice(sizes)
    if rng.randrange(2):
        sq = sk
    batch, kv = rng.choice([1, 1, 2]), rng.choice([1, 2])
    hq, d, dv = kv * rng.choice([1, 2, 3]), rng.choice([8, 16, 40, 64]), 0
    dv = d if rng.randrange(3) else rng.choice([4, 16, 24, 80])
    element = rng.choice(["f32", "f32", "f16", "bf16"])
    q = f"tensor<{batch}x{hq}x{sq}x{d}x{element}>"
    o = f"tensor<{batch}x{hq}x{sq}x{dv}x{element}>"
    lse = f"tensor<{batch}x{hq}x{sq}xf32>"
    composed = mask(rng, sk, 3)
    arguments, lines, operands, first, score = [], [], [], (batch, sk), ""
    if data:
        arguments, lines, operands = data_operands(data, batch, hq, sq, sk)
        if data.randrange(2):
            composed, line, operand = with_documents(data, composed, batch, sk)
            lines.append(line)
            operands.append(operand)
        if not data.randrange(3):
            composed, line, operand = with_listed(data, composed, batch, sk)
            lines.append(line)
            operands.append(operand)
        if some := pages(data, batch, sk):
            first, line, operand = some
            lines.append(line)
            operands.append(operand)
        if not data.randrange(3):
            score, argument, operand = score_region(data, hq)
            arguments += argument
            operands += operand
    k, v = (f"tensor<{first[0]}x{kv}x{first[1]}x{size}x{element}>" for size in (d, dv))
    operands = f"data({', '.join(operands)}) " if operands else ""
    lines = "\n  ".join(lines)
    return f"""func.func @f(%q: {q}, %k: {k}, %v: {v}{''.join(arguments)}) -> ({o}, {lse}) {{
  {lines}
  %o = tensor.empty() : {o}
  %l = tensor.empty() : {lse}
  %r:2 = sparse_attn.attention mask({composed})
    ins(%q, %k, %v : {q}, {k}, {v}) {operands}outs(%o, %l : {o}, {lse}){score} -> {o}, {lse}
  return %r#0, %r#1 : {o}, {lse}
}}
"""


def run_case(runner, directory, case):
    data = random.Random(f"data {case}") if case % 2 else None
    text = module(random.Random(case), data)
    path = os.path.join(directory, f"case{case}.mlir")
    with open(path, "w") as file:
        file.write(text)
    try:
        done = subprocess.run(
            [runner, path, "--check=all", "--threads=1", f"--seed={case}"],
            capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return f"case {case} takes too long\n{text}"
    if done.returncode != 0:
        return f"case {case}: {done.stderr[-1500:]}\n{text}"
    return None


def main():
    runner, cases = sys.argv[1], int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for report in pool.map(
                    lambda case: run_case(runner, directory, case),
                    range(first, first + cases)):
                if report:
                    failures += 1
                    print(report)
    print(f"{cases - failures} of {cases} cases agree with the reference")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())

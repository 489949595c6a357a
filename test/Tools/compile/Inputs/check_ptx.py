"""Checks all that a package says of its kernels against their PTX."""

import pathlib
import re
import sys

import manifest

# What a block may have, by compute capability (CUDA's table of them).
SHARED_LIMIT = {
    "8.0": 166912, "8.6": 101376, "8.9": 101376, "9.0": 232448, "10.0": 232448, "12.0": 101376,
}  # fmt: skip
# A block has sixteen barriers, one of which is for all of its threads.
MOST_BESIDE = 15
BYTES = {"f16": 2, "bf16": 2, "f32": 4, "i32": 4}
GLOBAL_ACCESS = re.compile(
    r"(?:ld|st)\.(?:\w+\.)*?global(?:\.nc)?(?:\.v(\d))?\.\w(\d+)"
    r"|cp\.async\.\w+\.shared\.global \[[^]]*\], \[[^]]*\], (\d+)"
)


class Kernel:
    def __init__(self, ptx, name, parameters, limits, body):
        self.name, self.body = name, body
        self.parameters = re.findall(r"\.param \.(\w+)( \.ptr)?", parameters)
        self.instructions = re.findall(r"^\s+(?:@!?%p\d+\s+)?([a-z][\w.:]*)", body, re.M)
        self.threads = [int(n) for n in re.search(r"\.maxntid (.*)", limits)[1].split(",")]
        self.static_shared = self.dynamic_shared = 0
        for extern, variable, size in re.findall(
            r"^\.(extern )?\.?shared \.align \d+ \.b8 (\w+)\[(\d*)\]", ptx, re.M
        ):
            if re.search(rf"\b{re.escape(variable)}\b", body):
                self.static_shared += int(size or 0)
                self.dynamic_shared |= bool(extern)
        widths = [
            int(copied or int(count or 1) * int(bits) // 8)
            for count, bits, copied in GLOBAL_ACCESS.findall(body)
        ]
        self.widest = max(widths, default=1)

    def count(self, pattern):
        return sum(1 for name in self.instructions if re.fullmatch(pattern, name))


def read_kernels(ptx):
    pattern = r"\.visible \.entry (\S+?)\(([^)]*)\)([^{]*)\{\n(.*?)^\}"
    found = re.findall(pattern, ptx, re.M | re.S)
    assert len(found) == ptx.count(".entry ")
    return {name: Kernel(ptx, name, *rest) for name, *rest in found}


def check_target(target, ptx):
    assert re.findall(r"^\.version (.*)$", ptx, re.M) == [target["ptx_version"]]
    assert re.findall(r"^\.target (.*)$", ptx, re.M) == [target["chip"]]
    major, minor, suffix = re.fullmatch(r"sm_(\d+)(\d)(a?)", target["chip"]).groups()
    assert target["min_compute_capability"] == f"{major}.{minor}"
    assert target["this_chip_only"] == (suffix == "a")


# What else a plan says of its tile.
TILE_MORE = r"( of \d+ heads)?(, where .*?)?(, for few blocks)?"


def check_launch(launch, kernel, target):
    expected = []
    for argument in launch["arguments"]:
        ((kind, _),) = argument.items()
        is_pointer = kind in ("argument", "result", "workspace")
        bits = 32 if kind == "i32" else 64
        expected.append((bits, is_pointer))
    given = [(int(type[1:]), bool(pointer)) for type, pointer in kernel.parameters]
    assert given == expected, launch["kernel"]
    # Pointers first, then integers.
    assert [not pointer for _, pointer in given] == sorted(not pointer for _, pointer in given)
    assert launch["block"] == kernel.threads, launch["kernel"]
    assert (launch["shared_bytes"] != 0) == kernel.dynamic_shared, launch["kernel"]
    limit = SHARED_LIMIT[target["min_compute_capability"]]
    assert launch["shared_bytes"] + kernel.static_shared <= limit, launch["kernel"]


def check_alignment(program, kernels):
    """No access is wider than addresses and rows are aligned, and one is as wide."""
    alignment = program["alignment"]
    assert max(kernel.widest for kernel in kernels) == alignment
    for tensor in program["arguments"] + program["results"]:
        assert tensor["layout"] == ("dense" if program["options"]["dense"] else "strided")
        if tensor["layout"] == "strided" and tensor["roles"] not in ([], ["lse"]):
            assert tensor["stride_multiple"] * BYTES[tensor["type"]] == alignment
    for variant in program["variants"]:
        for buffer in variant["workspace"]["buffers"]:
            for sizes in manifest.some_sizes(program):
                assert manifest.evaluate(buffer["offset"], sizes) % 256 == 0


# Of the rows of a launch of few blocks.
MOST_SPLITS = 32


def are_blocks_of_parts(blocks, parts):
    """Whether they hold the parts of whole tiles, each block as many as another."""
    return any(
        total % parts == 0
        for beside in range(1, MOST_BESIDE + 1)
        for total in range(max(1, beside * (blocks - 1) + 1), beside * blocks + 1)
    )


def count_tiles(plan, queries):
    """The query tiles of a head in each part of a plan."""
    parts = [line for line in plan["plan"] if line.startswith("part ")]
    for line in parts or ["tile {} x".format(plan["tile"][0])]:
        rows = int(re.findall(r"tile (\d+) x", line)[-1])
        step = int((re.match(r"part folded by (\d+)", line) or [1, 1])[1])
        yield step * -(-(-(-queries // step)) // rows)


def check_attentions(program):
    tensors = program["arguments"] + program["results"]
    roles = {role: tensor for tensor in tensors for role in tensor["roles"]}
    for index, attention in enumerate(program["attentions"]):
        assert attention["type"] == roles["query"]["type"] == roles["output"]["type"]
        assert attention["head_size"] == roles["query"]["shape"][3] == roles["key"]["shape"][3]
        assert attention["value_head_size"] == roles["value"]["shape"][3]
        assert attention["lse"] == ("lse" in roles)
        for plan in [attention, *(v["plans"][index] for v in program["variants"])]:
            tiles = [line for line in plan["plan"] if "tile " in line and "tile =" not in line]
            last = "tile {} x {}".format(*plan["tile"])
            if len(tiles) == 1:
                assert re.fullmatch(last + TILE_MORE, plan["plan"][0])
            else:
                assert plan["plan"][0] == f"{len(tiles)} parts"
                assert tiles[-1].endswith(last)
        assert attention["plan"] == program["variants"][-1]["plans"][index]["plan"]
        # One launch has a block for each tile of queries of each head, and perhaps some for
        # the parts of rows that are split, of which several may run in a block.
        for sizes in manifest.some_sizes(program):
            batch, heads, queries = (
                manifest.evaluate(size, sizes) for size in roles["query"]["shape"][:3]
            )
            chosen = manifest.choose(program, sizes)
            plan = chosen["plans"][index]
            counts = [batch * heads * count for count in count_tiles(plan, queries)]
            if packed := re.search(r" of (\d+) heads", plan["plan"][0]):
                key_heads = manifest.evaluate(roles["key"]["shape"][1], sizes)
                tiles = key_heads * -(-(heads // key_heads) // int(packed[1]))
                counts = [batch * tiles * queries]
            grids = [manifest.evaluate(launch["grid"][0], sizes) for launch in chosen["launches"]]
            if plan["plan"][0].endswith(", for few blocks"):
                # All rows are split, into as many parts as the launch asks for.
                (blocks,) = counts
                assert any(grid == blocks * split for grid in grids
                           for split in range(1, MOST_SPLITS + 1)), (blocks, grids)
                continue
            parts = max(1, batch * heads) * program["options"]["heavy-splits"]
            for blocks in counts:
                assert any(grid == blocks or are_blocks_of_parts(grid - blocks, parts)
                           for grid in grids), (blocks, grids)


def holds(sentence, types, kernels, text):
    """Whether the PTX does what a sentence of `numerics` says."""
    count = lambda pattern: sum(kernel.count(pattern) for kernel in kernels)
    products = count(r"mma\..*")
    assert products > 0
    if sentence == "Scores, softmax and sums are f32.":
        arithmetic = r"(add|sub|mul|fma|max|min|div|rcp|ex2|lg2)\.(.*\.)?(b?f16(x2)?|f64)"
        return count(arithmetic) == 0 and count(r"mma\..*\.f32\.(b?f16)\.\1\.f32") == products
    if sentence.startswith("f16 and bf16: softmax's weights are rounded"):
        (kind,) = types
        return count(rf"mma\..*\.{kind}\.{kind}\.f32") == products and (
            count(rf"cvt\.rn\.{kind}x2\.f32") > 0
        )
    if sentence == "f32: products keep f32 accuracy, by six products of bf16 each.":
        # Three parts of each operand: two are rounded, one is cut off. Of branches with
        # the same product, each may make some of the parts for itself.
        return (
            types == {"f32"}
            and count(r"mma\..*\.bf16\.bf16\.f32") == products
            and products % 6 == 0
            and count(r"cvt\.rn\.bf16x2\.f32") >= 2 * count(r"cvt\.rz\.bf16x2\.f32") > 0
        )
    if sentence == "The exponential is ex2.approx.ftz: below 2^-126 it is 0.":
        return count(r"ex2\..*") == count(r"ex2\.approx\.ftz\.f32") > 0
    # How they do it varies; test/Integration/numerics holds results to these.
    return sentence in (
        "A query without a key gets output 0.",
        "LSE is the natural logarithm, and -inf for a query without a key.",
    )


def check_numerics(program, kernels, ptx):
    types = {attention["type"] for attention in program["attentions"]}
    sentences = program["numerics"]
    for sentence in sentences:
        assert holds(sentence, types, kernels, ptx), sentence
    beginnings = {sentence.split(":")[0] for sentence in sentences}
    assert ("f32" in beginnings) == ("f32" in types)
    assert ("f16 and bf16" in beginnings) == bool(types & {"f16", "bf16"})
    has_lse = any(attention["lse"] for attention in program["attentions"])
    assert any(sentence.startswith("LSE") for sentence in sentences) == has_lse


def check_header(program, text):
    """Its comment; check_formulas.py has the functions."""
    comment = text.partition("*/")[0]
    assert f"All addresses are multiples of {program['alignment']} bytes." in comment
    for kind in ("argument", "result"):
        tensors = program[kind + "s"]
        lines = re.findall(rf"^   {kind} (\d+): (.*)$", comment, re.M)
        assert len(lines) == len(tensors)
        for (index, line), tensor in zip(lines, tensors):
            roles = " and ".join(tensor["roles"])
            shape = ", ".join(map(str, tensor["shape"]))
            expected = f"{roles + ', ' if roles else ''}{tensor['type']} [{shape}]"
            if tensor["layout"] == "strided":
                expected += f", any strides, multiples of {tensor['stride_multiple']}"
            assert tensors[int(index)] is tensor and line == expected, line
    elsewhere = [
        result["buffer"]
        for index, result in enumerate(program["results"])
        if result["buffer"] != {"result": index}
    ]
    places = re.findall(r"^     in (argument|result) (\d+)$", comment, re.M)
    assert [{kind: int(index)} for kind, index in places] == elsewhere
    assert f"_NUM_LAUNCHES {len(manifest.launches(program))}\n" in text


def check(directory, program):
    files = {file["kind"]: file["name"] for file in program["files"]}
    ptx = (directory / files["ptx"]).read_text()
    kernels = read_kernels(ptx)
    check_target(program["target"], ptx)
    launched = [launch["kernel"] for launch in manifest.launches(program)]
    assert sorted(kernels) == sorted(set(launched)), (kernels, launched)
    for launch in manifest.launches(program):
        check_launch(launch, kernels[launch["kernel"]], program["target"])
    check_alignment(program, kernels.values())
    check_attentions(program)
    check_numerics(program, kernels.values(), ptx)
    if "header" in files:
        check_header(program, (directory / files["header"]).read_text())
    print(program["name"], program["target"]["chip"], len(launched), "launches")


directory = pathlib.Path(sys.argv[1])
for program in manifest.load(directory)["programs"]:
    check(directory, program)

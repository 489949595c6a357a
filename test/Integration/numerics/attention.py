"""One attention three ways: sparse-attn-run, NumPy in double, PyTorch eager."""

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile

import masks
import numpy as np
import torch

TORCH_TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# A long run may share its cores with others.
TIMEOUT_SECONDS = 1200 if os.environ.get("SPARSE_ATTN_LONG") else 60
# Rows that make the mean error of a case independent of luck: that of LSE, one
# number a row, varies by some 3% then.
ROWS = 1500


def document_ids(kind, batch, length):
    """An id for each position of a sequence: documents of 1 to 60 tokens, each
    batch with others."""
    rng = np.random.default_rng([batch, length])
    ends = np.cumsum(rng.integers(1, 60, size=length))
    ids = np.searchsorted(ends, np.arange(length), side="right").astype(np.int32)
    match kind:
        case "packed":
            return ids
        case "one":
            return np.full(length, 7, np.int32)
        case "none":
            return np.full(length, -1 - batch, np.int32)
        case "tokens":
            return np.arange(length, dtype=np.int32)
        case "descending":
            return 2**31 - 1 - ids
        case "unsorted":
            return rng.permutation(length).astype(np.int32)[ids]
        case "padded":  # at the left, in the middle and at the right
            ids[: length // 9] = -1
            ids[length // 2 : length // 2 + 3] = -5
            ids[length - length // 5 :] = -1
            return ids
        case "scattered":
            return rng.integers(-1, 4, size=length).astype(np.int32)
        case "again":  # an id comes back
            return ids % 3
        case _:
            raise ValueError(kind)


# What a score region reads, and regions: as MLIR, and as NumPy on [b, h, i, j].
TABLE_TYPE = "tensor<300xf32>"
TABLE = np.random.default_rng(4).standard_normal(300).astype(np.float32)
DISTANCE = """\
%d = arith.subi %i, %j : index
        %distance = arith.index_cast %d : index to i32"""
SCORES = {
    "distance": (
        f"""{DISTANCE}
        %x = arith.sitofp %distance : i32 to f32
        %head = arith.index_cast %h : index to i32
        %n = arith.sitofp %head : i32 to f32
        %c = arith.constant 0.0625 : f32
        %slope = arith.mulf %n, %c : f32
        %y = arith.mulf %slope, %x : f32
        %t = arith.addf %s, %y : f32""",
        lambda s, b, h, i, j: s + 0.0625 * h * (i - j),
    ),
    "positions": (
        """%i32 = arith.index_cast %i : index to i32
        %j32 = arith.index_cast %j : index to i32
        %b32 = arith.index_cast %b : index to i32
        %three = arith.constant 3 : i32
        %of_i = arith.andi %i32, %three : i32
        %of_j = arith.andi %j32, %three : i32
        %both = arith.subi %of_i, %of_j : i32
        %all = arith.addi %both, %b32 : i32
        %x = arith.sitofp %all : i32 to f32
        %two = arith.constant 2.0 : f32
        %double = arith.mulf %s, %two : f32
        %t = arith.addf %double, %x : f32""",
        lambda s, b, h, i, j: 2 * s + (i & 3) - (j & 3) + b,
    ),
    "table": (
        f"""{DISTANCE}
        %c = arith.constant 150 : i32
        %shifted = arith.addi %distance, %c : i32
        %low = arith.constant 0 : i32
        %high = arith.constant 299 : i32
        %above = arith.maxsi %shifted, %low : i32
        %inside = arith.minsi %above, %high : i32
        %place = arith.index_cast %inside : i32 to index
        %x = tensor.extract %table[%place] : {TABLE_TYPE}
        %t = arith.addf %s, %x : f32""",
        lambda s, b, h, i, j: s + TABLE[np.clip(i - j + 150, 0, 299)],
    ),
    "decay": (
        f"""{DISTANCE}
        %x = arith.sitofp %distance : i32 to f32
        %size = math.absf %x : f32
        %c = arith.constant -0.0625 : f32
        %y = arith.mulf %size, %c : f32
        %factor = math.exp %y : f32
        %t = arith.mulf %s, %factor : f32""",
        lambda s, b, h, i, j: s * np.exp(-0.0625 * abs(i - j)),
    ),
    # Reads where pairs that the mask leaves out have nothing to read.
    "key-table": (
        f"""%x = tensor.extract %table[%j] : {TABLE_TYPE}
        %y = tensor.extract %table[%i] : {TABLE_TYPE}
        %z = arith.subf %x, %y : f32
        %t = arith.addf %s, %z : f32""",
        lambda s, b, h, i, j: s + TABLE[j] - TABLE[i],
    ),
}


def listed_tokens(kind, batch, length):
    """Positions that are global, each batch with others: of as many in each batch,
    some none."""
    rng = np.random.default_rng([batch, length, 1])
    few = rng.integers(-1, length, size=6)
    match kind:
        case "few":
            return few.astype(np.int32)
        case "none":
            return np.full(3, -1, np.int32)
        case "empty":
            return np.zeros(0, np.int32)
        case "outside":  # and the last there is
            return np.array([length, -2, 2**31 - 1, -(2**31), length - 1], np.int32)
        case "twice":
            return np.concatenate([few, few[::-1], few]).astype(np.int32)
        case "first":  # as many as there are batches
            return np.where(np.arange(40) <= batch, np.arange(40), -1).astype(np.int32)
        case "every":
            return rng.permutation(length).astype(np.int32)
        case "many":
            return rng.integers(0, length, size=length // 3).astype(np.int32)
    raise ValueError(kind)


@dataclasses.dataclass(frozen=True)
class Case:
    """An attention of B x Hq x Sq x D queries over Hkv heads of Sk keys."""

    mask: masks.Mask
    sq: int = 97
    sk: int | None = None
    d: int = 16
    dv: int | None = None
    batch: int | None = None  # as many as make ROWS rows
    heads: int = 2
    groups: int = 1  # query heads that share one head of keys
    dtype: str = "f32"
    scale: float | None = None
    softcap: float | None = None
    # Of each sequence, and of each head.
    query_lengths: tuple | None = None
    key_lengths: tuple | None = None
    key_begin: tuple | None = None
    query_position: tuple | int | None = None  # or of all sequences
    key_position: tuple | int | None = None
    sinks: tuple | None = None
    slopes: tuple | None = None
    bias: str | None = None  # "bhqk", or "1hqk" where batches share one, ...
    score: str | None = None  # of SCORES
    documents: str | None = None  # of `document_ids`
    global_tokens: str | None = None  # of `listed_tokens`
    page: int | None = None  # keys of a page; K and V are pools then
    sharing: bool = False  # whether all sequences have one page for their first
    lse: bool = True
    dynamic: bool = False
    threads: int = 1
    magnitude: float = 1.0  # of the noise in Q and K
    integers: bool = False  # round Q and K, so that scores are exact in f32
    spoil: str | None = None  # see `spoil_inputs`

    @property
    def keys(self):
        return self.sk or self.sq

    @property
    def value_size(self):
        return self.dv or self.d

    @property
    def effective_scale(self):
        return self.d**-0.5 if self.scale is None else self.scale

    @property
    def given_batches(self):
        """As many as there are numbers of sequences; 0 where there are none."""
        numbers = (
            self.query_lengths, self.key_lengths, self.key_begin,
            self.query_position, self.key_position,
        )
        return max((len(some) for some in numbers if isinstance(some, tuple)), default=0)

    @property
    def batches(self):
        most = -(-ROWS // (self.heads * self.sq))
        return self.batch or self.given_batches or most

    def lengths(self, batch):
        """The queries and keys that a sequence has."""

        def clamped(lengths, most):
            return min(max(lengths[batch], 0), most) if lengths else most

        return clamped(self.query_lengths, self.sq), clamped(self.key_lengths, self.keys)

    def positions(self, batch):
        """Of row 0, and of slot 0 of the keys."""

        def of(given):
            return given if given is None or isinstance(given, int) else given[batch]

        nq, nk = self.lengths(batch)
        key = of(self.key_position) or 0
        query = of(self.query_position)
        return key + nk - nq if query is None else query, key

    def first_key(self, batch):
        """The slot of the first key that there is."""
        begin = self.key_begin[batch] if self.key_begin else 0
        return min(max(begin, 0), self.lengths(batch)[1])

    @property
    def pairs_are_data(self):
        """Whether data decides which pairs there are."""
        return bool(set(self.data()) - {"sinks", "slopes", "bias", "page_table"})

    def live(self):
        """[batches or 1, heads, Sq, Sk]: which pairs may attend."""
        live = np.zeros(
            (self.batches if self.pairs_are_data else 1, self.heads, self.sq, self.keys), bool
        )
        ids, tokens = (self.data().get(name) for name in ("documents", "global_tokens"))
        for b, h in np.ndindex(*live.shape[:2]):
            nq, nk = self.lengths(b)
            if nq and nk:
                live[b, h, :nq, :nk] = self.mask.matrix(
                    nq, nk, h, None if ids is None else ids[b, :nk], *self.positions(b),
                    None if tokens is None else tokens[b])
                live[b, h, :, : self.first_key(b)] = False
        return live

    def all_sinks(self):
        """[batches, heads, Sq]: the sink of each row that there is, or None."""
        if self.sinks is None:
            return None
        sinks = np.full((self.batches, self.heads, self.sq), -np.inf)
        for b in range(self.batches):
            sinks[b, :, : self.lengths(b)[0]] = np.array(self.sinks)[:, None]
        return sinks

    def data(self):
        """Data operands by name."""
        data = {}
        kinds = {
            "query_lengths": np.int32, "key_lengths": np.int32, "key_begin": np.int32,
            "query_position": np.int64, "key_position": np.int64,
            "sinks": np.float32, "slopes": np.float32,
        }
        for name, kind in kinds.items():
            given = getattr(self, name)
            if given is not None:
                data[name] = np.array(given, kind)
        if self.page:
            data["page_table"] = self.page_table()
        if self.documents:
            data["documents"] = np.stack([
                document_ids(self.documents, b, self.keys) for b in range(self.batches)])
        if self.global_tokens:
            data["global_tokens"] = np.stack([
                listed_tokens(self.global_tokens, b, self.keys) for b in range(self.batches)])
        if self.bias:
            sizes = {"b": self.batches, "h": self.heads, "q": self.sq, "k": self.keys}
            noise = np.random.default_rng(3).standard_normal(
                [sizes.get(letter, 1) for letter in self.bias])
            data["bias"] = noise.astype(np.float32)
        return data

    def modifier(self):
        """What happens to scores [b, h, q, k] behind scale and soft cap, or None."""
        data = self.data()
        if not self.score and not {"slopes", "bias"} & set(data):
            return None

        def modify(scores):
            query, key = np.array([self.positions(n) for n in range(self.batches)]).T
            b, h, r, c = np.ogrid[: self.batches, : self.heads, : self.sq, : self.keys]
            i, j = r + query[:, None, None, None], c + key[:, None, None, None]
            if self.score:
                scores = SCORES[self.score][1](scores, b, h, i, j)
            if self.bias:
                scores = scores + data["bias"]
            if self.slopes:
                scores = scores - data["slopes"][:, None, None] * abs(i - j)
            return scores

        return modify

    def operand_shapes(self):
        """Of Q, K and V as the reference takes them."""
        key_heads = self.heads // self.groups
        return [
            (self.batches, self.heads, self.sq, self.d),
            (self.batches, key_heads, self.keys, self.d),
            (self.batches, key_heads, self.keys, self.value_size),
        ]

    def page_table(self):
        """The pages of each sequence, in any order: of pages without a key any
        number, one that there is not among them."""
        count = self.keys // self.page
        rng = np.random.default_rng(count)
        table = rng.permutation(self.batches * count + 3)[: self.batches * count]
        table = table.reshape(self.batches, count).astype(np.int32)
        for b in range(self.batches):
            ends = self.lengths(b)[1], self.first_key(b)
            table[b, -(-ends[0] // self.page) :] = 2**31 - 1
            table[b, : ends[1] // self.page] = -1
        if self.sharing:
            table[:, 0] = table[0, 0]
        return table

    def argument_shapes(self):
        """Of Q, K and V as functions take them."""
        shapes = self.operand_shapes()
        if not self.page:
            return shapes
        pages = self.batches * (self.keys // self.page) + 3
        return shapes[:1] + [
            (pages, heads, self.page, size) for _, heads, _, size in shapes[1:]]

    def in_pages(self, x, pool_shape):
        """Rows of [batches, heads, Sk, size] where the table has them, and NaN in
        what no sequence has."""
        pool = np.full(pool_shape, np.nan)
        for (b, p), page in np.ndenumerate(self.page_table()):
            if 0 <= page < len(pool):
                pool[page] = x[b, :, p * self.page : (p + 1) * self.page]
        return pool

    def arguments(self):
        """`inputs`, as the function takes them."""
        inputs = self.inputs()
        if self.page:
            shapes = self.argument_shapes()
            inputs[1:3] = [self.in_pages(inputs[n], shapes[n]) for n in (1, 2)]
        return inputs

    def spoil_padding(self, q, k, v):
        """NaN before the first key of each sequence, and behind its end."""
        for b in range(self.batches):
            nq, nk = self.lengths(b)
            q[b, :, nq:] = torch.nan
            k[b, :, nk:] = torch.nan
            v[b, :, nk:] = torch.nan
            k[b, :, : self.first_key(b)] = torch.nan
            v[b, :, : self.first_key(b)] = torch.nan

    def inputs(self):
        """Q, K and V as double, of values that the element type has, and data."""
        generator = torch.Generator().manual_seed(20240607)
        noise = [
            torch.randn(shape, generator=generator) for shape in self.operand_shapes()
        ]
        if self.sharing:
            for x in noise[1:]:
                x[:, :, : self.page] = x[:1, :, : self.page]
        noise[0] *= self.magnitude
        noise[1] *= self.magnitude
        if self.integers:
            noise[:2] = [x.round() for x in noise[:2]]
        self.spoil_padding(*noise)
        spoil_inputs(self.spoil, *noise, torch.finfo(TORCH_TYPES[self.dtype]).max)
        operands = [x.to(TORCH_TYPES[self.dtype]).double().numpy() for x in noise]
        return operands + list(self.data().values()) + [TABLE] * bool(self.score)


def spoil_inputs(what, q, k, v, largest):
    """Puts a NaN or an infinity where it may, or may not, be seen; or values that are
    near the ends of the type's range."""
    match what:
        case None:
            pass
        case "nan-key":  # key 40 of the first head of keys
            k[0, 0, 40] = torch.nan
        case "nan-value":
            v[0, 0, 40] = torch.nan
        case "nan-query":
            q[0, 0, 3] = torch.nan
        case "infinite-value":
            v[0, 0, 40, 1] = torch.inf
        case "infinite-score":  # +inf for some queries, -inf for the others
            k[0, 0, 40, 0] = torch.inf
        case "nan-last-keys":
            k[:, :, -5:] = torch.nan
        case "nan-last-values":
            v[:, :, -5:] = torch.nan
        case "all-scores-minus-infinity":
            q[0, 0, 3] = 0
            q[0, 0, 3, 0] = 1
            k[0, 0, :, 0] = -torch.inf
        case "first-scores-minus-infinity":  # a tile of them, and more
            q[0, 0] = 0
            q[0, 0, :, 0] = 1
            k[0, 0, :150, 0] = -torch.inf
        case "huge-values":  # their sums are too large for the type
            v.copy_(v.abs() * (largest / 10))
        case "huge-values-late":  # for some rows, and of either sign
            v[:, :, 60:] = v[:, :, 60:].abs() * (largest / 10)
            v[:, :, :, ::2] *= -1
        case "huge-and-infinite-values":
            v.copy_(v.abs() * (largest / 10))
            v[0, 0, 40, 1] = torch.inf
        case "largest-values":
            v.fill_(largest)
            v[:, :, :, ::2] *= -1
        case "tiny-values":  # at the lower end of f32's range
            v *= 1e-38
        case "tiny-values-in-columns":
            v[:, :, :, ::2] *= 1e-36
        case _:
            raise ValueError(what)


def module_text(case):
    """The MLIR module of a case: one function, `attention`."""

    def tensor(shape, dtype, dynamic=3):
        sizes = ["?" if case.dynamic and dim < dynamic else str(size)
                 for dim, size in enumerate(shape)]
        return f"tensor<{'x'.join(sizes)}x{dtype}>"

    q_shape, k_shape, v_shape = case.argument_shapes()
    o_shape = (*q_shape[:3], case.value_size)
    q, o = tensor(q_shape, case.dtype), tensor(o_shape, case.dtype)
    k, v = (tensor(shape, case.dtype, dynamic=2 if case.page else 3)
            for shape in (k_shape, v_shape))
    results, sizes, lines = [o], "", []
    if case.dynamic:
        sizes = ", ".join(f"%n{dim}" for dim in range(3))
        for dim in range(3):
            lines.append(f"%c{dim} = arith.constant {dim} : index")
            lines.append(f"%n{dim} = tensor.dim %q, %c{dim} : {q}")
    lines.append(f"%init = tensor.empty({sizes}) : {o}")
    inits = "%init"
    if case.lse:
        results.append(tensor(q_shape[:3], "f32"))
        lines.append(f"%init_lse = tensor.empty({sizes}) : {results[1]}")
        inits += ", %init_lse"
    scale = "" if case.scale is None else f"scale({case.scale:e})"
    if case.softcap is not None:
        scale += f" softcap({case.softcap:e})"
    arguments, data = f"%q: {q}, %k: {k}, %v: {v}", []
    for name, array in case.data().items():
        dtype = array.dtype.kind + str(8 * array.dtype.itemsize)
        sizes = ["?" if case.dynamic and n != 1 else str(n) for n in array.shape]
        kind = f"tensor<{'x'.join([*sizes, dtype])}>"
        arguments += f", %{name}: {kind}"
        data.append(f"{name} = %{name} : {kind}")
    score = ""
    if case.score:
        arguments += f", %table: {TABLE_TYPE}"
        if "%table" in SCORES[case.score][0]:
            data.append(f"extra = %table : {TABLE_TYPE}")
        score = f"""score {{
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        {SCORES[case.score][0]}
        sparse_attn.yield %t : f32
      }}"""
    data = f"data({', '.join(data)})" if data else ""
    types = ", ".join(results)
    count = len(results)
    names = ", ".join(f"%r#{n}" for n in range(count))
    body = "\n  ".join(lines)
    return f"""\
func.func @attention({arguments}) -> ({types}) {{
  {body}
  %r:{count} = sparse_attn.attention mask({case.mask.text}) {scale}
      ins(%q, %k, %v : {q}, {k}, {v}) {data}
      outs({inits} : {types}) {score} -> {types}
  return {names} : {types}
}}
"""


def run_module(tool, text, inputs, num_results, *options):
    """The results of the module's function, and the tool's report."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "module.mlir").write_text(text)
        command = [tool, str(folder / "module.mlir"), "--json", *options]
        for index, array in enumerate(inputs):
            if not np.issubdtype(array.dtype, np.integer):
                array = array.astype(np.float32)
            np.save(folder / f"in{index}.npy", array)
            command.append(f"--input={folder / f'in{index}.npy'}")
        outputs = [folder / f"out{index}.npy" for index in range(num_results)]
        command += [f"--output={output}" for output in outputs]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr}\n{text}")
        arrays = [np.load(output).astype(np.float64) for output in outputs]
        return arrays, json.loads(done.stdout)


def run_case(tool, case):
    """(O, LSE or None) of sparse-attn-run."""
    results, _ = run_module(
        tool, module_text(case), case.arguments(), 2 if case.lse else 1,
        f"--threads={case.threads}",
    )
    return results[0], results[1] if case.lse else None


def reference(q, k, v, live, scale, softcap=None, sinks=None, modify=None):
    """O and LSE in double; `live` is [batches or 1, heads, Sq, Sk], or without the first.
    A masked key's values play no part at all."""
    groups = q.shape[1] // k.shape[1]
    live = live.reshape(-1, *q.shape[1:3], k.shape[2])
    with np.errstate(invalid="ignore", over="ignore"):
        all_scores = scale * (q @ k.repeat(groups, axis=1).swapaxes(2, 3))
        if softcap is not None:
            all_scores = softcap * np.tanh(all_scores / softcap)
        if modify:
            all_scores = modify(all_scores)
    out = np.zeros((*q.shape[:3], v.shape[3]))
    lse = np.full(q.shape[:3], -np.inf) if sinks is None else sinks.copy()
    with np.errstate(invalid="ignore", over="ignore"):
        for b, h, r in np.ndindex(*q.shape[:3]):
            keys = live[b % len(live), h, r]
            if not keys.any():
                continue
            scores = all_scores[b, h, r, keys]
            largest = max(scores.max(), lse[b, h, r])
            weights = np.exp(scores - largest)
            total = weights.sum()
            if sinks is not None:
                total += np.exp(sinks[b, h, r] - largest)
            out[b, h, r] = weights @ v[b, h // groups, keys] / total
            lse[b, h, r] = largest + np.log(total)
    return out, lse


def eager(q, k, v, live, scale, dtype, softcap=None, sinks=None, modify=None):
    """What PyTorch's own operations give in `dtype`; LSE in f32, as ours is. What
    happens to scores besides is computed in double, and rounded.

    NaN and infinities in V are left out: they are judged by the reference, and
    where they are masked, PyTorch would have 0 * NaN.
    """
    v = np.where(np.isfinite(v), v, 0)
    groups = q.shape[1] // k.shape[1]
    alive = torch.from_numpy(live)

    def softmax_scores(dtype):
        operands = [torch.from_numpy(x).to(dtype) for x in (q, k, v)]
        operands[1:] = [x.repeat_interleave(groups, dim=1) for x in operands[1:]]
        scores = operands[0] @ operands[1].mT * scale
        if softcap is not None:
            scores = (scores / softcap).tanh() * softcap
        if modify:
            scores = torch.from_numpy(modify(scores.double().numpy())).to(dtype)
        scores = scores.masked_fill(~alive, -torch.inf)
        if sinks is not None:
            column = torch.from_numpy(sinks).to(dtype).unsqueeze(-1)
            scores = torch.cat([scores, column], dim=-1)
        return scores, operands[2]

    scores, values = softmax_scores(TORCH_TYPES[dtype])
    weights = scores.softmax(dim=-1)[..., : k.shape[2]].masked_fill(~alive, 0)
    single, _ = softmax_scores(torch.float32)
    return (weights @ values).double().numpy(), single.logsumexp(-1).double().numpy()

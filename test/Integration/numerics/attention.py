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
    lse: bool = True
    dynamic: bool = False
    threads: int = 1
    magnitude: float = 1.0  # of the noise in Q and K
    integers: bool = False  # round Q and K, so that scores are exact in f32
    spoil: str | None = None  # see `spoil_inputs`

    @property
    def batches(self):
        return self.batch or -(-ROWS // (self.heads * self.sq))

    @property
    def keys(self):
        return self.sk or self.sq

    @property
    def value_size(self):
        return self.dv or self.d

    @property
    def effective_scale(self):
        return self.d**-0.5 if self.scale is None else self.scale

    def live(self):
        """[heads, Sq, Sk]: which pairs may attend."""
        rows = (self.mask.matrix(self.sq, self.keys, h) for h in range(self.heads))
        return np.stack(list(rows))

    def operand_shapes(self):
        key_heads = self.heads // self.groups
        return [
            (self.batches, self.heads, self.sq, self.d),
            (self.batches, key_heads, self.keys, self.d),
            (self.batches, key_heads, self.keys, self.value_size),
        ]

    def inputs(self):
        """Q, K and V as double, of values that the element type has."""
        generator = torch.Generator().manual_seed(20240607)
        noise = [
            torch.randn(shape, generator=generator) for shape in self.operand_shapes()
        ]
        noise[0] *= self.magnitude
        noise[1] *= self.magnitude
        if self.integers:
            noise[:2] = [x.round() for x in noise[:2]]
        spoil_inputs(self.spoil, *noise, torch.finfo(TORCH_TYPES[self.dtype]).max)
        return [x.to(TORCH_TYPES[self.dtype]).double().numpy() for x in noise]


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

    def tensor(shape, dtype):
        sizes = ["?" if case.dynamic and dim < 3 else str(size)
                 for dim, size in enumerate(shape)]
        return f"tensor<{'x'.join(sizes)}x{dtype}>"

    q_shape, k_shape, v_shape = case.operand_shapes()
    o_shape = (*q_shape[:3], case.value_size)
    q, k, v, o = (tensor(s, case.dtype) for s in (q_shape, k_shape, v_shape, o_shape))
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
    types = ", ".join(results)
    count = len(results)
    names = ", ".join(f"%r#{n}" for n in range(count))
    body = "\n  ".join(lines)
    return f"""\
func.func @attention(%q: {q}, %k: {k}, %v: {v}) -> ({types}) {{
  {body}
  %r:{count} = sparse_attn.attention mask({case.mask.text}) {scale}
      ins(%q, %k, %v : {q}, {k}, {v})
      outs({inits} : {types}) -> {types}
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
            np.save(folder / f"in{index}.npy", array.astype(np.float32))
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
        tool, module_text(case), case.inputs(), 2 if case.lse else 1,
        f"--threads={case.threads}",
    )
    return results[0], results[1] if case.lse else None


def reference(q, k, v, live, scale, softcap=None):
    """O and LSE in double. A masked key's values play no part at all."""
    groups = q.shape[1] // k.shape[1]
    out = np.zeros((*q.shape[:3], v.shape[3]))
    lse = np.full(q.shape[:3], -np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        for b, h, r in np.ndindex(*q.shape[:3]):
            keys = live[h, r]
            if not keys.any():
                continue
            scores = scale * (k[b, h // groups, keys] @ q[b, h, r])
            if softcap is not None:
                scores = softcap * np.tanh(scores / softcap)
            largest = scores.max()
            weights = np.exp(scores - largest)
            out[b, h, r] = weights @ v[b, h // groups, keys] / weights.sum()
            lse[b, h, r] = largest + np.log(weights.sum())
    return out, lse


def eager(q, k, v, live, scale, dtype, softcap=None):
    """What PyTorch's own operations give in `dtype`; LSE in f32, as ours is.

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
        return scores.masked_fill(~alive, -torch.inf), operands[2]

    scores, values = softmax_scores(TORCH_TYPES[dtype])
    weights = scores.softmax(dim=-1).masked_fill(~alive, 0)
    single, _ = softmax_scores(torch.float32)
    return (weights @ values).double().numpy(), single.logsumexp(-1).double().numpy()

"""Results over two sets of keys as one, on tensors of PyTorch."""

import pytest
import torch
from sparse_attn import errors
from sparse_attn.torch import merge


def attend(q, k, v):
    scores = q @ k.mT
    return scores.softmax(-1) @ v, scores.logsumexp(-1)


def make_parts(dtype=torch.float32):
    generator = torch.Generator().manual_seed(3)
    q, k, v = (
        torch.randn(2, 3, n, 16, generator=generator).to(dtype) for n in (5, 12, 12)
    )
    parts = [attend(q.float(), k[:, :, s].float(), v[:, :, s].float())
             for s in (slice(7), slice(7, None))]
    whole = attend(*(t.double() for t in (q, k, v)))
    return [t for o, lse in parts for t in (o.to(dtype), lse)], whole


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_is_attention_over_all_keys(dtype):
    parts, (o, lse) = make_parts(dtype)
    got, got_lse = merge(*parts)
    assert got.dtype == dtype and got_lse.dtype == torch.float32
    tolerance = 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(got.double(), o, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(got_lse.double(), lse, rtol=1e-6, atol=1e-6)


def test_layout():
    parts, _ = make_parts()
    expected, lse = merge(*parts)
    x, lx, y, ly = parts
    got, got_lse = merge(x.transpose(1, 2), lx, y.transpose(1, 2), ly, layout="bshd")
    assert torch.equal(got, expected.transpose(1, 2)) and torch.equal(got_lse, lse)


def test_rows_without_keys():
    (x, lx, y, ly), _ = make_parts()
    lx[0, 0, :2] = -torch.inf
    ly[0, 0, 1:3] = -torch.inf
    x[0, 0, 0], y[0, 0, 1] = torch.nan, torch.inf
    o, lse = merge(x, lx, y, ly)
    assert torch.equal(o[0, 0, 0], y[0, 0, 0]) and lse[0, 0, 0] == ly[0, 0, 0]
    assert torch.equal(o[0, 0, 1], torch.zeros(16)) and lse[0, 0, 1] == -torch.inf
    assert torch.equal(o[0, 0, 2], x[0, 0, 2])
    lx[1, 0, 0] = torch.nan
    o, lse = merge(x, lx, y, ly)
    assert o[1, 0, 0].isnan().all() and lse[1, 0, 0].isnan()


def test_gradients():
    parts, _ = make_parts()
    parts = [t.double().requires_grad_() for t in parts]

    def merge_doubles(x, lx, y, ly):
        # Float tensors are what merge takes.
        return merge(x.float(), lx.float(), y.float(), ly.float())

    torch.autograd.gradcheck(merge_doubles, parts, eps=1e-2, atol=1e-2, rtol=1e-2)
    x, lx, y, ly = (t.detach().float().requires_grad_() for t in parts)
    with torch.no_grad():
        lx[0, 0, 0] = ly[0, 0, 0] = -torch.inf
    merge(x, lx, y, ly)[0].sum().backward()
    assert all(t.grad.isfinite().all() for t in (x, lx, y, ly))


def test_compiles():
    parts, _ = make_parts()
    compiled = torch.compile(merge, fullgraph=True, backend="eager")
    for got, expected in zip(compiled(*parts), merge(*parts)):
        assert torch.equal(got, expected)


def test_errors():
    (x, lx, y, ly), _ = make_parts()
    with pytest.raises(errors.WrongTypeError, match="'second' is a list; give a tensor"):
        merge(x, lx, [1.0], ly)
    with pytest.raises(errors.WrongTypeError, match="'second' is of torch.float16; both"):
        merge(x, lx, y.half(), ly)
    with pytest.raises(errors.WrongTypeError, match="'first' is of torch.float64"):
        merge(x.double(), lx, y.double(), ly)
    with pytest.raises(errors.WrongTypeError, match="'first_lse' is of torch.float64"):
        merge(x, lx.double(), y, ly)
    with pytest.raises(errors.WrongShapeError, match=r"'second' is \(2, 3, 4, 16\); both"):
        merge(x, lx, y[:, :, :4], ly)
    with pytest.raises(errors.WrongShapeError, match=r"'first_lse' is \(2, 3, 5\); outputs of"):
        merge(x, lx, y, ly, layout="bshd")
    with pytest.raises(errors.WrongDeviceError, match="'second_lse' is on meta and 'first'"):
        merge(x, lx, y, ly.to("meta"))
    with pytest.raises(errors.InvalidArgumentError, match="unknown layout 'sbhd'"):
        merge(x, lx, y, ly, layout="sbhd")

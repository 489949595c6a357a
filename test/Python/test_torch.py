"""Functions as operators of PyTorch."""

import json

import pytest
import sparse_attn
import sparse_attn.torch
import torch
from conftest import compile_package
from sparse_attn import errors
from sparse_attn._formula import evaluate


@pytest.fixture(scope="module")
def package(directory):
    with sparse_attn.load(directory) as package:
        yield package


@pytest.fixture(scope="module")
def attend(package):
    return sparse_attn.torch.register(package["longformer"], "tests::longformer")


@pytest.fixture(scope="module")
def in_place(package):
    return sparse_attn.torch.register(package["in_place"], "tests::in_place")


def longformer_inputs(s=50):
    return [torch.randn(2, 4, s, 64) for _ in range(3)]


def in_place_inputs():
    return [torch.randn(2, 4, 20, 16, dtype=torch.float16) for _ in range(4)]


def test_operator_is_the_function(package, attend):
    tensors = longformer_inputs()
    for got, expected in zip(attend(*tensors), package(*tensors)):
        assert torch.equal(got, expected)
    assert "tests::longformer" in repr(attend)


def test_opcheck(attend, in_place):
    torch.library.opcheck(torch.ops.tests.longformer, tuple(longformer_inputs()))
    torch.library.opcheck(torch.ops.tests.in_place, tuple(in_place_inputs()))


def test_names(directory, package):
    first = sparse_attn.torch.register(package["causal_64"])
    assert first.name == "sparse_attn::causal_64"
    # The same again, as where a notebook's cell is run twice.
    with sparse_attn.load(directory) as again:
        second = sparse_attn.torch.register(again["causal_64"])
        assert second.name == "sparse_attn::causal_64_2"
        tensors = [torch.randn(1, 2, 64, 64) for _ in range(3)]
        assert torch.equal(first(*tensors), second(*tensors))
    assert sparse_attn.torch.register(package["causal_64"]) is first


def test_default_names_are_identifiers(tmp_path):
    """Whatever functions are called, and whatever PyTorch calls its own things."""
    names = ["name", "_dir", "__class__", "__init__", "1abc", "class", "é", "日本", "odd-é"]
    names += ["NoneType", "return", ""]
    function = """func.func @{}(%q: !t) -> !t {{
      %i = tensor.empty() : !t
      %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t)
          outs(%i : !t) -> !t
      return %o : !t
    }}
    """
    text = "!t = tensor<1x1x7x8xf32>\n"
    text += "".join(function.format(json.dumps(n, ensure_ascii=False)) for n in names)
    (tmp_path / "names.mlir").write_text(text)
    compile_package(tmp_path / "package", "native", file=tmp_path / "names.mlir")
    q = torch.randn(1, 1, 7, 8)
    with sparse_attn.load(tmp_path / "package") as package:
        for name in names:
            operator = sparse_attn.torch.register(package[name])
            assert operator.name.isascii(), name
            assert torch.equal(operator(q), package[name](q)), name


@pytest.mark.parametrize(
    "name",
    ["my::name", "my::__class__", "my::class", "my::é", "prim::x", "_::_", "aten::add"],
)
def test_names_that_no_operator_can_have(package, name):
    with pytest.raises(errors.InvalidArgumentError, match="name"):
        sparse_attn.torch.register(package["causal_64"], name)


def test_layout(package, attend):
    operator = sparse_attn.torch.register(
        package["longformer"], "tests::bshd", layout="bshd"
    )
    tensors = [torch.randn(2, 50, 4, 64) for _ in range(3)]
    torch.library.opcheck(torch.ops.tests.bshd, tuple(tensors))
    o, lse = operator(*tensors)
    expected, expected_lse = attend(*(tensor.transpose(1, 2) for tensor in tensors))
    assert torch.equal(o.transpose(1, 2), expected) and torch.equal(lse, expected_lse)


@pytest.mark.parametrize("dynamic", [False, True])
def test_compiles_to_one_graph(attend, dynamic):
    def layer(q, k, v):
        o, lse = attend(q * 2, k, v)
        return o + 1, lse

    compiled = torch.compile(
        layer, fullgraph=True, dynamic=dynamic, backend="aot_eager"
    )
    for s in (50, 77, 90):
        tensors = longformer_inputs(s)
        for got, expected in zip(compiled(*tensors), layer(*tensors)):
            assert torch.equal(got, expected)


def test_result_in_an_argument(package, in_place):
    tensors = in_place_inputs()
    expected = package["in_place"](*(tensor.clone() for tensor in tensors))
    compiled = torch.compile(
        lambda *t: in_place(*t), fullgraph=True, backend="aot_eager"
    )
    for function in (in_place, compiled):
        init = tensors[3].clone()
        assert torch.equal(function(*tensors[:3], init), expected)
        assert torch.equal(init, expected)
    assert in_place(*tensors) is tensors[3]


def test_exports(attend):
    class Layer(torch.nn.Module):
        def forward(self, q, k, v):
            return attend(q, k, v)[0]

    tensors = tuple(longformer_inputs())
    exported = torch.export.export(Layer(), tensors)
    targets = [str(node.target) for node in exported.graph.nodes]
    assert "tests.longformer.default" in targets
    assert torch.equal(exported.module()(*tensors), attend(*tensors)[0])


def test_there_is_no_backward(attend, in_place):
    q, k, v = longformer_inputs()
    q.requires_grad_()
    o, _ = attend(q, k, v)
    with pytest.raises(errors.NoBackwardError, match="tests::longformer has no backward"):
        o.sum().backward()
    tensors = in_place_inputs()
    tensors[0].requires_grad_()
    with pytest.raises(errors.NoBackwardError, match="tests::in_place has no backward"):
        in_place(*tensors)
    with torch.no_grad():
        in_place(*tensors)


def test_errors_of_the_fake_kernel(attend):
    q, k, v = (tensor.to("meta") for tensor in longformer_inputs())
    o, lse = attend(q, k, v)
    assert o.device.type == "meta" and lse.shape == (2, 4, 50)
    with pytest.raises(errors.WrongTypeError, match="torch.float64, expected f32"):
        attend(q, k.double(), v)
    with pytest.raises(errors.WrongShapeError, match="has rank 3, expected the shape"):
        attend(q, k, v[0])


def test_the_fake_kernel_checks_shapes(package, attend):
    """As a call does: sizes that are fixed, that must agree, and that must fit."""
    q, k, v = (tensor.to("meta") for tensor in longformer_inputs())
    wrong = {
        "head size": (q[..., :3], k, v),
        "batch": (q[:1], k, v),
        "keys": (q, k[:, :, :7], v),
        "heads": (q[:, :3], k, v),
    }
    for tensors in wrong.values():
        with pytest.raises(errors.WrongShapeError):
            attend(*tensors)
        with pytest.raises(errors.WrongShapeError):
            package["longformer"](*(torch.zeros(t.shape) for t in tensors))
    fixed = sparse_attn.torch.register(package["causal_64"], "tests::fixed")
    with pytest.raises(errors.WrongShapeError):
        fixed(*[torch.empty(1, 2, 63, 64, device="meta")] * 3)


def test_a_trace_with_symbols_checks_shapes(attend):
    from torch._dynamo.exc import TorchRuntimeError

    compiled = torch.compile(
        lambda *t: attend(*t), fullgraph=True, dynamic=True, backend="aot_eager"
    )
    q, k, v = longformer_inputs()
    compiled(q, k, v)
    with pytest.raises((errors.WrongShapeError, TorchRuntimeError), match="size of|fit"):
        compiled(q, k[:, :, :7], v)


def test_errors_of_registering(package, attend):
    register = sparse_attn.torch.register
    assert register(package["longformer"]) is attend
    assert register(package["longformer"], "tests::longformer") is attend
    with pytest.raises(errors.InvalidArgumentError, match="takes 3 tensors, 2 were"):
        attend(*longformer_inputs()[:2])
    with pytest.raises(errors.InvalidArgumentError, match="there is an operator"):
        register(package["causal_64"], "tests::longformer")
    with pytest.raises(errors.InvalidArgumentError, match="no operator's name"):
        register(package["causal_64"], "causal")
    with pytest.raises(errors.InvalidArgumentError, match="unknown layout 'x'"):
        register(package["causal_64"], layout="x")
    with pytest.raises(errors.WrongTypeError, match="expected a function of a package"):
        register(package)


@pytest.mark.parametrize(
    "formula, value",
    [
        (7, 7),
        ("Sq", 5),
        ("B * (Sq + 127) - -2", 266),
        ("floordiv(Sq, 2)", 2),
        ("min(B, Sq) + max(B, Sq) * 10", 52),
        ("select(lt(B, Sq), 3, 4) + eq(B, 2)", 4),
        ("select(lt(Sq, B), 3, 4) + eq(B, 3)", 4),
    ],
)
def test_formulas(formula, value):
    assert evaluate(formula, {"B": 2, "Sq": 5}) == value


@pytest.mark.parametrize("formula", ["x", "B / 2", "open('f')", "B.real", "1.5"])
def test_no_formulas(formula):
    with pytest.raises(ValueError, match="is not a formula of sizes"):
        evaluate(formula, {"B": 2})

"""There are no derivatives: asking for one raises, and nothing else does."""

import numpy as np
import pytest
import sparse_attn
import sparse_attn.torch
import torch
from sparse_attn import errors
from torch.autograd import forward_ad

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def module_package(directory):
    with sparse_attn.load(directory) as package:
        yield package


@pytest.fixture(params=["function", "package", "operator", "bare operator"])
def attend(request, module_package):
    """Gives O alone."""
    if request.param == "function":
        return lambda *t: module_package["longformer"](*t)[0]
    if request.param == "package":
        return lambda *t: module_package(*t)[0]
    operator = sparse_attn.torch.register(
        module_package["longformer"], "derivatives::longformer"
    )
    if request.param == "operator":
        return lambda *t: operator(*t)[0]
    return lambda *t: torch.ops.derivatives.longformer(*t)[0]


@pytest.fixture
def operator(module_package):
    operator = sparse_attn.torch.register(
        module_package["longformer"], "derivatives::longformer"
    )
    return lambda *t: operator(*t)[0]


def inputs(gradient=False, s=40):
    q, k, v = (torch.randn(1, 2, s, 64) for _ in range(3))
    return q.requires_grad_(gradient), k, v


NO_BACKWARD = "has no backward pass yet; call it under torch.no_grad"
NO_FORWARD = "has no forward-mode derivative yet; give it tensor.detach()"


def refuses(match):
    return pytest.raises(errors.NoBackwardError, match=match)


# Backward


@pytest.mark.parametrize("which", range(3))
def test_only_the_backward_pass_raises(attend, which):
    tensors = list(inputs())
    expected = attend(*tensors)
    tensors[which].requires_grad_()
    o = attend(*tensors)
    assert torch.equal(o, expected) and o.requires_grad and o.grad_fn is not None
    with refuses(NO_BACKWARD):
        (o * 2).sum().backward()
    with refuses(NO_BACKWARD):
        torch.autograd.grad(attend(*tensors).sum(), tensors[which])


def test_the_advice_is_good(attend):
    q, k, v = inputs(gradient=True)
    with torch.no_grad():
        assert not attend(q, k, v).requires_grad
    with torch.inference_mode():
        attend(q, k, v)
    assert not attend(q.detach(), k, v).requires_grad


def test_a_layer_in_evaluation(attend):
    """Parameters require gradients, and nobody turns them off."""

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.project = torch.nn.Linear(64, 64)

        def forward(self, x):
            return attend(self.project(x), x, x)

    layer = Layer().eval()
    x = torch.randn(1, 2, 40, 64)
    expected = layer(x).detach()
    parameters = {name: p.detach() for name, p in layer.named_parameters()}
    got = torch.func.functional_call(layer, parameters, (x,))
    assert torch.equal(got, expected) and not got.requires_grad
    with refuses(NO_BACKWARD):
        layer(x).sum().backward()
    # Other parts of a loss have their gradients.
    w = torch.ones((), requires_grad=True)
    (layer(x).detach().sum() * w).backward()
    assert w.grad is not None and layer.project.weight.grad is None


def test_lse_has_none_either(module_package):
    q, k, v = inputs(gradient=True)
    lse = module_package["longformer"](q, k, v)[1]
    with refuses(NO_BACKWARD):
        lse.sum().backward()


def test_inputs_are_not_kept(attend):
    """A forward pass with gradients on costs no more memory than one without."""
    import weakref

    q, k, v = inputs()
    q = q.requires_grad_() * 1
    k = k.clone()
    dead = weakref.ref(k)
    o = attend(q, k, v)
    del k
    assert dead() is None and o.requires_grad


@pytest.mark.parametrize("dynamic", [False, True])
def test_compiled(operator, dynamic):
    compiled = torch.compile(
        lambda *t: operator(*t) * 2, fullgraph=True, dynamic=dynamic, backend="aot_eager"
    )
    for s in (40, 50):
        q, k, v = inputs(gradient=True, s=s)
        o = compiled(q, k, v)
        assert torch.equal(o, operator(q, k, v) * 2) and o.requires_grad
        with refuses(NO_BACKWARD):
            o.sum().backward()
        with torch.no_grad():
            compiled(q, k, v)


def test_results_in_memory_that_was_given(module_package):
    """They cannot say that they have no derivative, so that the call does."""
    q, k, v = inputs(gradient=True)
    function = module_package["longformer"]
    out = torch.zeros_like(q)
    with refuses("given cannot say so later; call it under torch.no_grad"):
        function(q, k, v, out=(out, None))
    assert not out.any()
    with torch.no_grad():
        function(q, k, v, out=(out, None))
    assert out.any()
    leaf = torch.zeros_like(k).requires_grad_()
    with refuses("given cannot say so later"):
        function(k, k, v, out=(leaf, None))
    halves = [torch.randn(1, 4, 20, 16, dtype=torch.float16) for _ in range(4)]
    halves[1].requires_grad_()
    operator = sparse_attn.torch.register(
        module_package["in_place"], "derivatives::in_place"
    )
    for call in (module_package["in_place"], operator, torch.ops.derivatives.in_place):
        with refuses("cannot say so later"):
            call(*halves)
        with torch.no_grad():
            call(*halves)
    q = q.detach().numpy()
    with refuses("results of argument 0's framework cannot say so later"):
        function(q, k.requires_grad_(), v)


def test_what_an_operator_writes_counts_as_changed(module_package):
    operator = sparse_attn.torch.register(
        module_package["in_place"], "derivatives::in_place"
    )
    halves = [torch.randn(1, 4, 20, 16, dtype=torch.float16) for _ in range(4)]
    w = torch.ones((), dtype=torch.float16, requires_grad=True)
    product = halves[3] * w
    operator(*halves)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.sum().backward()


# Forward mode


def test_dual_tensors(attend):
    q, k, v = inputs()
    with forward_ad.dual_level():
        for i in range(3):
            tensors = [q, k, v]
            tensors[i] = forward_ad.make_dual(tensors[i], torch.ones_like(q))
            with refuses(NO_FORWARD):
                attend(*tensors)
            with torch.no_grad(), refuses(NO_FORWARD):
                attend(*tensors)
            tensors[i] = tensors[i].detach()
            assert torch.equal(attend(*tensors), attend(q, k, v))


def test_dual_tensors_that_are_written(module_package):
    q, k, v = inputs()
    with forward_ad.dual_level():
        out = forward_ad.make_dual(torch.zeros_like(q), torch.ones_like(q))
        with refuses(NO_FORWARD):
            module_package["longformer"](q, k, v, out=(out, None))


# torch.func


def vmap_of_grad(f, q):
    return torch.func.vmap(torch.func.grad(lambda x: f(x).sum()))(q[None])


TRANSFORMS = {
    "jvp": (lambda f, q: torch.func.jvp(f, (q,), (q,)), NO_FORWARD),
    "jacfwd": (lambda f, q: torch.func.jacfwd(f)(q), NO_FORWARD),
    "linearize": (lambda f, q: torch.func.linearize(f, q), NO_FORWARD),
    "grad": (lambda f, q: torch.func.grad(lambda x: f(x).sum())(q), NO_BACKWARD),
    "vjp": (lambda f, q: torch.func.vjp(f, q), NO_BACKWARD),
    "jacrev": (lambda f, q: torch.func.jacrev(f)(q), NO_BACKWARD),
    "hessian": (lambda f, q: torch.func.hessian(lambda x: f(x).sum())(q), NO_BACKWARD),
    "vmap of grad": (vmap_of_grad, NO_BACKWARD),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_that_differentiate(attend, name):
    transform, match = TRANSFORMS[name]
    q, k, v = inputs(s=4)
    with refuses(match):
        transform(lambda x: attend(x, k, v), q)


def test_transforms_of_something_else(operator):
    q, k, v = inputs()
    w = torch.tensor(3.0)
    expected = operator(q, k, v)
    assert torch.equal(
        torch.func.grad(lambda w: (operator(q, k, v) * w).sum())(w), expected.sum()
    )
    got = torch.func.jvp(lambda w: operator(q, k, v) * w, (w,), (torch.tensor(1.0),))
    assert torch.equal(got[1], expected)


@pytest.mark.parametrize("dims", [(0, 0, 0), (1, None, None), (None, 2, 0)])
def test_vmap_of_an_operator(operator, dims):
    single = inputs()
    stacked = [
        x if dim is None else torch.stack([x, x + 1, x * 2], dim)
        for x, dim in zip(single, dims)
    ]
    got = torch.func.vmap(operator, in_dims=dims)(*stacked)
    for i in range(3):
        one = [x if dim is None else x.select(dim, i) for x, dim in zip(stacked, dims)]
        assert torch.equal(got[i], operator(*one))


def test_vmap_of_a_function(module_package):
    with pytest.raises(errors.WrongTypeError, match="sparse_attn.torch.register has"):
        torch.func.vmap(lambda *t: module_package["longformer"](*t))(
            *(torch.randn(3, 1, 2, 40, 64) for _ in range(3))
        )


def test_numpy_next_to_torch(module_package):
    """Without PyTorch's tensors nothing is asked of it."""
    q, k, v = (x.numpy() for x in inputs())
    with forward_ad.dual_level():
        assert isinstance(module_package["longformer"](q, k, v)[0], np.ndarray)

"""Copies and pickles of what a package is, and of modules that hold it."""

import copy
import io
import json
import pathlib
import pickle
import subprocess
import sys

import pytest
import sparse_attn
import sparse_attn.torch
import torch
from sparse_attn import errors


class Layer(torch.nn.Module):
    def __init__(self, attend):
        super().__init__()
        self.project = torch.nn.Linear(64, 64)
        self.attend = attend

    def forward(self, x):
        with torch.no_grad():
            x = self.project(x)
            return self.attend(x, x, x)[0]


def inputs():
    return torch.randn(1, 2, 40, 64)


@pytest.fixture(params=["function", "package", "operator"])
def attend(request, package):
    if request.param == "function":
        return package["longformer"]
    if request.param == "package":
        return package
    return sparse_attn.torch.register(package["longformer"])


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_copies_share_the_code(attend, make):
    assert make(attend) is attend
    layer = Layer(attend)
    other = make(layer)
    assert other.attend is attend
    x = inputs()
    assert torch.equal(other(x), layer(x))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(attend, protocol):
    again = pickle.loads(pickle.dumps(attend, protocol))
    x = inputs()
    for got, expected in zip(again(x, x, x), attend(x, x, x)):
        assert torch.equal(got, expected)
    assert type(again) is type(attend)


def test_pickled_together_is_loaded_once(package):
    names = ["longformer", "causal_64"]
    a, b, all_of_it = pickle.loads(
        pickle.dumps((package[names[0]], package[names[1]], package))
    )
    assert [a.name, b.name] == names
    assert all_of_it[names[0]] is a and all_of_it[names[1]] is b


def test_torch_save(attend):
    layer, x = Layer(attend), inputs()
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    assert torch.equal(torch.load(file, weights_only=False)(x), layer(x))
    # Of a state there is nothing of the package.
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = Layer(attend)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(x), layer(x))


def test_in_another_process_and_directory(directory, tmp_path, monkeypatch):
    """By a path that was relative when the package was loaded."""
    monkeypatch.chdir(pathlib.Path(directory).parent)
    with sparse_attn.load(pathlib.Path(directory).name) as package:
        operator = sparse_attn.torch.register(package["longformer"], "pickles::f")
        x = inputs()
        saved = (package["longformer"], operator, x, operator(x, x, x)[0])
        (tmp_path / "saved").write_bytes(pickle.dumps(saved))
    code = """
import pickle, torch
function, operator, x, expected = pickle.load(open("saved", "rb"))
for call in (function, operator, torch.ops.pickles.f):
    assert torch.equal(call(x, x, x)[0], expected)
print(operator.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "pickles::f\n", done.stderr


def test_operators_of_one_process(directory, copied):
    """A pickled operator is the one that is there, whose package may be closed."""
    with sparse_attn.load(directory) as package:
        operator = sparse_attn.torch.register(package["longformer"], "pickles::g")
        unnamed = sparse_attn.torch.register(package["causal_bf16"])
        pickled = pickle.dumps(operator)
        assert pickle.loads(pickled) is operator
    x = inputs()
    with pytest.raises(errors.InvalidArgumentError, match="closed"):
        operator(x, x, x)
    again = pickle.loads(pickled)
    assert again is operator
    operator(x, x, x)
    # Another package's, by a name that is taken here.
    register_again = operator.__reduce__()[0]
    with sparse_attn.load(copied) as package:
        with pytest.raises(errors.InvalidArgumentError, match="pickles::g, and there"):
            register_again(package["longformer"], "pickles::g", "bhsd")
        free = register_again(package["causal_bf16"], unnamed.name, "bhsd")
        assert free is not unnamed and free.name.startswith("sparse_attn::causal_bf16")
        assert free.function is package["causal_bf16"]


@pytest.fixture
def moved(copied):
    """A pickled function, and its package."""
    with sparse_attn.load(copied) as package:
        return pickle.dumps(package["longformer"]), copied


def test_package_that_is_gone(moved):
    pickled, path = moved
    path.rename(path.parent / "elsewhere")
    with pytest.raises(errors.PackageFileError) as raised:
        pickle.loads(pickled)
    for part in ("a pickled package cannot be loaded", str(path), "put the package back"):
        assert part in str(raised.value)
    # As the message says.
    (path.parent / "elsewhere").rename(path)
    x = inputs()
    pickle.loads(pickled)(x, x, x)


def test_package_that_has_changed(moved):
    pickled, path = moved
    manifest = path / "manifest.json"
    text = manifest.read_text()
    content = json.loads(text)
    content["generator"]["version"] = "another"
    manifest.write_text(json.dumps(content))
    with pytest.raises(errors.ChangedPackageError) as raised:
        pickle.loads(pickled)
    assert isinstance(raised.value, ValueError)
    for part in (str(path), "has changed since it was pickled", "SHA-256"):
        assert part in str(raised.value)
    with sparse_attn.load(path) as package:
        pickle.loads(pickle.dumps(package["longformer"]))
    manifest.write_text(text)
    pickle.loads(pickled)
    next(path.glob("longformer*.so")).unlink()
    with pytest.raises(errors.PackageFileError, match="a pickled package cannot be"):
        pickle.loads(pickled)


def test_errors_are_pickled():
    """As processes of a pool do."""
    for error in (errors.make_error(20, "text"), errors.ChangedPackageError("text")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == "text"
        assert again.status == error.status

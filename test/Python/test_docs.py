"""The manual's examples, one after the other in one namespace."""

import functools
import pathlib
import re

import torch
from conftest import compile_package

ROOT = pathlib.Path(__file__).parents[2]


def test_examples(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "Python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
    assert len(blocks) == 4
    example = ROOT / "examples" / "longformer.mlir"
    compile_package(tmp_path / "package", "sm_80", "native", file=example)
    monkeypatch.chdir(tmp_path)
    # The default backend would compile C++ for minutes.
    quick = functools.partial(torch.compile, backend="aot_eager")
    monkeypatch.setattr(torch, "compile", quick)
    names = {}
    for block in blocks:
        exec(compile(block, "docs/Python.md", "exec"), names)
    q, k, v, o = (names[name] for name in "qkvo")
    expected = names["package"](q * 2, k, v, layout="bshd") + 1
    assert o.shape == (1, 4096, 12, 64) and torch.equal(o, expected)
    assert torch.isfinite(names["out"]).all()

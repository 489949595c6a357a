"""Arrays that must not change are never written."""

import numpy as np
import pytest
from conftest import random
from sparse_attn import _dlpack, errors


def tensors():
    return [random((1, 2, 10, 64), seed=i) for i in range(3)]


class JaxArray:
    """As JAX's arrays on the CPU: immutable, and with DLPack capsules that do not
    say so."""

    __module__ = "jaxlib._jax"

    def __init__(self, array, **versions):
        self.array = array

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return (1, 0)


class Versioned:
    """A capsule of DLPack 1 with flags; NumPy makes it."""

    flags = 0

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        capsule = self.array.__dlpack__(max_version=(1, 0))
        address = _dlpack._api.PyCapsule_GetPointer(capsule, b"dltensor_versioned")
        _dlpack._Versioned.from_address(address).flags |= self.flags
        return capsule

    def __dlpack_device__(self):
        return (1, 0)


class ReadOnly(Versioned):
    flags = 1


class Copied(Versioned):
    """What is written to the copy is lost."""

    flags = 2


def tensorflow(array):
    kind = type("EagerTensor", (JaxArray,), {"__module__": "tensorflow.python.ops"})
    return kind(array)


def subclass_of_jax(array):
    return type("Mine", (JaxArray,), {"__module__": "mine"})(array)


def not_writeable(array):
    array.setflags(write=False)
    return array


def broadcast(array):
    return np.broadcast_to(array, array.shape)


class Interface:
    def __init__(self, array):
        interface = dict(array.__array_interface__)
        self.__array_interface__ = {**interface, "data": (interface["data"][0], True)}
        self.keep = array


KINDS = [JaxArray, tensorflow, subclass_of_jax, ReadOnly, Copied, not_writeable]
KINDS += [broadcast, Interface]


@pytest.mark.parametrize("make", KINDS)
def test_read_only_results(package, make):
    memory = np.full((1, 2, 10, 64), 7, np.float32)
    with pytest.raises(errors.InvalidArgumentError) as raised:
        package["longformer"](*tensors(), out=(make(memory), None))
    assert "result 0 (output) of 'longformer' is read-only" in str(raised.value)
    assert "give one to write to" in str(raised.value)
    assert (memory == 7).all()


@pytest.mark.parametrize("make", KINDS)
def test_read_only_arguments_that_are_written(package, make):
    q, k, v = (random((2, 4, 33, 16), np.float16, seed=i) for i in range(3))
    memory = np.full(q.shape, 7, np.float16)
    with pytest.raises(errors.InvalidArgumentError) as raised:
        package["in_place"](q, k, v, make(memory))
    assert "result 0 (output) of 'in_place', which is argument 3, is read-only" in str(
        raised.value
    )
    assert (memory == 7).all()


@pytest.mark.parametrize("make", KINDS)
def test_they_are_read(package, make):
    expected = package["longformer"](*tensors())[0]
    got = package["longformer"](*map(make, tensors()))[0]
    np.testing.assert_array_equal(np.asarray(got), expected)


def test_versioned_capsules_are_written_where_they_may_be(package):
    memory = np.zeros((1, 2, 10, 64), np.float32)
    package["longformer"](*tensors(), out=(Versioned(memory), None))
    np.testing.assert_array_equal(memory, package["longformer"](*tensors())[0])

"""Calls on a GPU, as the driver double sees them."""

import numpy as np
import pytest
import sparse_attn
from conftest import random
from double import GpuArray, double
from sparse_attn import errors

__all__ = ["double"]

SHAPE = (1, 2, 70, 64)


def arrays(double, shape=SHAPE, count=3, **options):
    return [GpuArray(double, shape, **options) for _ in range(count)]


def pointers(launch):
    return launch[3]


def test_results_are_new_arrays_on_the_device(double, package):
    q, k, v = arrays(double)
    o, lse = package(q, k, v)
    assert type(o) is sparse_attn.Array and type(lse) is sparse_attn.Array
    assert o.device == 0 and o.shape == SHAPE and lse.shape == SHAPE[:3]
    interface = o.__cuda_array_interface__
    assert interface["shape"] == SHAPE and interface["typestr"] == "<f4"
    assert o.__dlpack_device__() == (2, 0)
    with pytest.raises(AttributeError, match="is on a GPU"):
        o.__array_interface__
    launches = double.launches()
    assert [kernel for kernel, *_ in launches] == [f"longformer_{i}" for i in range(2)]
    for tensor in (q, k, v, o, lse):
        assert any(tensor.data in pointers(launch) for launch in launches)
    assert all(launch[2] == 0 for launch in launches)


def test_results_go_where_they_are_told_to(double, package):
    o, lse = GpuArray(double, SHAPE), GpuArray(double, SHAPE[:3])
    got = package["longformer"](*arrays(double), out=(o, lse))
    assert got[0] is o and got[1] is lse
    assert o.data in pointers(double.launches()[0])


def test_result_in_an_argument(double, package):
    tensors = arrays(double, (2, 4, 20, 16), count=4, typestr="<f2")
    assert package(*tensors) is tensors[3]
    assert tensors[3].data in pointers(double.launches()[0])


def test_arrays_of_our_own_come_back_as_arguments(double, package):
    q, k, v = arrays(double)
    o, _ = package(q, k, v)
    package(o, k, v)
    assert any(o.data in pointers(launch) for launch in double.launches()[2:])


class DlpackOnly:
    """A tensor of a device that speaks DLPack; remembers for which stream."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, *, stream=None, **options):
        self.stream = stream
        return self.array.__dlpack__()


def test_dlpack_producers_are_told_the_stream(double, package):
    o, _ = package(*arrays(double))
    tensors = [DlpackOnly(o) for _ in range(3)]
    package(*tensors)
    assert [tensor.stream for tensor in tensors] == [1, 1, 1]
    stream = double.make_stream()
    package["longformer"](*tensors, stream=stream)
    assert [tensor.stream for tensor in tensors] == [stream] * 3
    assert double.launches()[-1][2] == stream


def test_streams(double, package):
    stream, other = double.make_stream(), double.make_stream()
    function = package["longformer"]
    function(*arrays(double, stream=stream))
    assert double.launches()[-1][2] == stream
    # Who says so has the last word; 1 is the default stream.
    function(*arrays(double, stream=stream), stream=other)
    assert double.launches()[-1][2] == other
    function(*arrays(double, stream=1))
    assert double.launches()[-1][2] == 0


def test_strides_and_layout(double, package):
    row = 4 * 64
    # [B, H, S, D] = (1, 2, 70, 64) in the memory of [B, S, H, D].
    strides = (70 * 2 * row, row, 2 * row, 4)
    package["longformer"](*arrays(double, strides=strides))
    by_strides = [launch[3] for launch in double.launches()]
    double_launches = len(by_strides)
    bshd = (1, 70, 2, 64)
    o, lse = package["longformer"](*arrays(double, bshd), layout="bshd")
    assert o.shape == bshd and lse.shape == (1, 2, 70)
    by_layout = [launch[3] for launch in double.launches()[double_launches:]]
    # Of the queries in both: 64 elements from head to head, 128 from row to row.
    for parameters in (by_strides[0], by_layout[0]):
        assert 64 in parameters and 128 in parameters
    with pytest.raises(errors.WrongStridesError, match="argument 0 .query. of"):
        package["longformer"](*arrays(double, strides=(4, 4, 4, 4)))


def test_workspace(double, package):
    q, k, v = arrays(double)
    function = package["longformer"]
    size = function.workspace_bytes(q, k, v)
    assert size > 0
    workspace = GpuArray(double, (size,), "|i1")
    function(q, k, v, workspace=workspace)
    assert any(workspace.data in pointers(launch) for launch in double.launches())
    small = GpuArray(double, (size - 1,), "|i1")
    with pytest.raises(errors.SmallWorkspaceError, match=f"has {size - 1} bytes"):
        function(q, k, v, workspace=small)
    with pytest.raises(errors.WrongDeviceError, match="the workspace of 'longformer'"):
        function(q, k, v, workspace=np.zeros(size, np.int8))


def test_workspace_that_is_no_memory_of_its_own(double, package):
    q, k, v = arrays(double)
    function = package["longformer"]
    size = function.workspace_bytes(q, k, v)
    apart = GpuArray(double, (size, 2), "|i1", strides=(4, 1))
    with pytest.raises(errors.WrongStridesError, match="has gaps; give one without"):
        function(q, k, v, workspace=apart)
    memory = GpuArray(double, (size,), "|i1")
    memory.__cuda_array_interface__["data"] = (memory.data, True)
    with pytest.raises(errors.InvalidArgumentError, match="is read-only"):
        function(q, k, v, workspace=memory)
    lse = GpuArray(double, SHAPE[:3])
    memory.__cuda_array_interface__["data"] = (lse.data, False)
    with pytest.raises(errors.InvalidArgumentError, match="the workspace of .* overlaps"):
        function(q, k, v, workspace=memory, out=(None, lse))
    assert double.launches() == []


def test_read_only_results(double, package):
    o = GpuArray(double, SHAPE)
    o.__cuda_array_interface__["data"] = (o.data, True)
    with pytest.raises(errors.InvalidArgumentError, match="is read-only"):
        package["longformer"](*arrays(double), out=(o, None))
    # It may be read.
    package["longformer"](o, *arrays(double, count=2))


def test_results_that_overlap(double, package):
    q, k, v = arrays(double)
    with pytest.raises(errors.InvalidArgumentError, match="it overlaps argument 1"):
        package["longformer"](q, k, v, out=(k, None))
    assert double.launches() == []


def test_capture_with_all_memory_given_allocates_nothing(double, package):
    q, k, v = arrays(double)
    function = package["longformer"]
    function.prepare()
    out = GpuArray(double, SHAPE), GpuArray(double, SHAPE[:3])
    workspace = GpuArray(double, (function.workspace_bytes(q, k, v),), "|i1")
    before = len(double.calls())
    stream = double.make_stream(capturing=True)
    function(q, k, v, out=out, workspace=workspace, stream=stream)
    called = set(double.calls()[before:])
    assert "cuLaunchKernel" in called
    assert not {name for name in called if "Mem" in name or "Synchronize" in name}


def test_devices(double, directory):
    double.reset(devices=2)
    with sparse_attn.load(directory) as package:
        package(*arrays(double, device=1))
        assert {launch[1] for launch in double.launches()} == {1}
        q, k, v = arrays(double)
        with pytest.raises(
            errors.WrongDeviceError, match="argument 2 is on GPU 1, argument 0 on GPU 0"
        ):
            package["longformer"](q, k, GpuArray(double, SHAPE, device=1))
        with pytest.raises(
            errors.WrongDeviceError, match="argument 1 is on the CPU, argument 0 on GPU"
        ):
            package["longformer"](q, random(SHAPE), v)
        with pytest.raises(errors.WrongDeviceError, match="is on GPU 1, the arguments"):
            out = GpuArray(double, SHAPE, device=1), None
            package["longformer"](q, k, v, out=out)
        package.find(q, k, v).prepare(1)
        with pytest.raises(errors.NoDeviceError, match="there is no device 7, of 2"):
            package["longformer"].prepare(7)


def test_memory_that_no_driver_knows(double, package):
    q, k, v = arrays(double)
    k.__cuda_array_interface__["data"] = (64, False)
    with pytest.raises(errors.WrongDeviceError, match="is not in memory that the"):
        package["longformer"](q, k, v)


def test_chips_and_drivers(double, package):
    double.reset(capability=75)
    with pytest.raises(errors.WrongChipError, match="capability 7.5.*has code for sm_80"):
        package["longformer"].prepare()
    double.reset()
    double.set_version(10020)
    sparse_attn._library._driver = None
    with pytest.raises(errors.OldDriverError, match="is of CUDA 10.2; install"):
        package["longformer"].prepare()


def test_driver_errors(double, package):
    q, k, v = arrays(double)
    double.fail_next("cuModuleLoadDataEx", 218)
    with pytest.raises(errors.InvalidCodeError, match="the driver refuses the PTX"):
        package["longformer"](q, k, v)
    double.fail_next("cuMemAlloc", 2)
    with pytest.raises(errors.OutOfMemoryError, match="bytes on device 0") as caught:
        package["longformer"](q, k, v)
    assert isinstance(caught.value, MemoryError)
    double.fail_next("cuLaunchKernel", 1)
    with pytest.raises(errors.DriverError, match="the launch of kernel"):
        package["longformer"](q, k, v)


def test_threads_load_once(double, package):
    import threading

    inputs = [arrays(double) for _ in range(8)]
    failures = []

    def work(tensors):
        try:
            package(*tensors)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(tensors,)) for tensors in inputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert double.calls().count("cuModuleLoadDataEx") == 1
    assert len(double.launches()) == 2 * 8

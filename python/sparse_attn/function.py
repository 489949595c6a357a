"""A function of a package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from ctypes import byref, c_int64, c_uint64, c_void_p
from typing import TYPE_CHECKING, Any

from ._frameworks import Framework, framework_of
from ._library import HOST, TensorInfo, driver, library
from ._specs import (
    TensorSpec,
    check_layout,
    common_device,
    device_name,
    read_spec,
    view_in_layout,
)
from ._views import TYPE_BYTES, TYPES, CTensors, View, view
from .errors import InvalidArgumentError, WrongDeviceError

if TYPE_CHECKING:
    from .package import Package


def _device_number(device: int | str) -> int:
    return HOST if device == "cpu" else int(device)


class Function:
    """One function of a package: a compiled attention.

    Call it with its tensors; see ``__call__``. Functions may be called from any
    number of threads at a time.
    """

    def __init__(self, package: Package, handle: int) -> None:
        self._package = package
        self._handle = c_void_p(handle)
        self._programs: dict[int, c_void_p] = {}
        # What does not depend on addresses, by types and shapes of the arguments.
        self._shapes: dict[Any, list[tuple[int, ...]]] = {}
        lib = library()
        self.name = lib.get_text("FunctionGetName", self._handle)
        self.arguments = self._read_specs("Argument")
        """What it takes, in order."""
        self.results = self._read_specs("Result")
        """What it gives, in order."""
        self.chips = tuple(
            lib.get_text("FunctionGetChip", self._handle, i)
            for i in range(lib.get_int("FunctionGetNumVariants", self._handle))
        )
        """What it has code for: "sm_80", ..., "x86-64-v3", ..."""

    def _read_specs(self, kind: str) -> tuple[TensorSpec, ...]:
        lib = library()
        specs = []
        for i in range(lib.get_int(f"FunctionGetNum{kind}s", self._handle)):
            info = TensorInfo()
            lib.call(f"FunctionGet{kind}", self._handle, i, byref(info))
            specs.append(read_spec(info))
        return tuple(specs)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{s.type}{list(s.shape)}" for s in self.arguments)
        results = ", ".join(f"{s.type}{list(s.shape)}" for s in self.results)
        return f"<sparse_attn.Function {self.name}({arguments}) -> ({results})>"

    def prepare(self, device: int | str = 0) -> None:
        """Loads the code for a GPU, or for "cpu". The first call does that by itself;
        call this before one that is captured into a CUDA graph.

        Raises WrongChipError, NoDriverError, NoDeviceError, OldDriverError,
        InvalidCodeError, OutOfMemoryError.
        """
        self._load(_device_number(device))

    def _load(self, device: int) -> c_void_p:
        program = self._programs.get(device)
        if program is not None:
            return program
        with self._package._lock:
            self._package._check_open()
            program = self._programs.get(device)
            if program is None:
                program = c_void_p()
                opened = None if device == HOST else driver()
                library().call(
                    "ProgramLoad", opened, self._handle, device, byref(program)
                )
                self._programs[device] = program
        return program

    def _unload(self) -> None:
        while self._programs:
            library().get("ProgramUnload", self._programs.popitem()[1])

    def result_shapes(
        self, *tensors: Any, layout: str = "bhsd"
    ) -> list[tuple[int, ...]]:
        """The shapes of all results for arguments like these.

        Raises what ``__call__`` does for types and shapes.
        """
        views = self._view_all(tensors, layout, None)
        shapes = self._get_result_shapes(views)
        return [
            (s[0], s[2], s[1], s[3]) if layout == "bshd" and spec.has_heads else s
            for s, spec in zip(shapes, self.results)
        ]

    def workspace_bytes(self, *tensors: Any, layout: str = "bhsd") -> int:
        """Bytes of scratch memory for arguments like these, on their device."""
        views = self._view_all(tensors, layout, None)
        return self._get_workspace_bytes(self._load(common_device(views)), views)

    def __call__(
        self,
        *tensors: Any,
        out: Any = None,
        workspace: Any = None,
        stream: int | None = None,
        layout: str = "bhsd",
    ) -> Any:
        """Computes the function; returns its result, or a tuple of several.

        ``tensors``: one for each of ``arguments``, all on one device: PyTorch, CuPy
        or NumPy tensors, or others with ``__dlpack__`` or
        ``__cuda_array_interface__``. Any strides that the kernels can read are
        taken as they are; nothing is copied.

        ``out``: where to write the result; of several, a sequence, in which None
        stands for a new tensor. New tensors come from the framework of the first
        argument. A result that the function writes to one of its arguments is that
        argument.

        ``workspace``: a tensor of at least ``workspace_bytes`` bytes on the same GPU,
        for those who keep one; by default the framework's allocator gives one.

        ``stream``: a CUstream's address; by default PyTorch's or CuPy's current
        stream, or the one that ``__cuda_array_interface__`` names. On a GPU the call
        returns before the results are there.

        ``layout``: "bhsd" for tensors [batch, heads, sequence, head size]; with
        "bshd" queries, keys, values and outputs are [batch, sequence, heads, head
        size]. LSE is [batch, heads, sequence] in both.

        Raises InvalidArgumentError, WrongTypeError, WrongShapeError,
        WrongStridesError, MisalignedError, WrongDeviceError, TooLargeError,
        SmallWorkspaceError, OutOfMemoryError, NoBackwardError, and what ``prepare``
        does. Nothing was launched then.
        """
        views = self._view_all(tensors, layout, stream)
        device = common_device(views)
        program = self._load(device)
        framework = framework_of(tensors[0]) if tensors else Framework()
        scope: Any = nullcontext()
        if device == HOST:
            if stream:
                raise InvalidArgumentError(
                    "a stream is given for tensors on the CPU, which has none"
                )
        elif stream is None:
            stream = framework.current_stream(device, views)
        else:
            scope = framework.on_stream(stream, device)
        with scope:
            returned, results = self._make_results(
                tensors, views, out, layout, framework
            )
            scratch = self._get_scratch(program, views, device, workspace, framework)
            library().call(
                "ProgramLaunch",
                program,
                CTensors(views),
                len(views),
                CTensors(results),
                len(results),
                *scratch[:2],
                # 1 is the legacy default stream to others, 0 to the runtime.
                c_void_p(stream if stream and stream != 1 else None),
            )
        return returned[0] if len(returned) == 1 else tuple(returned)

    def _describe(self, kind: str, index: int, spec: TensorSpec) -> str:
        roles = f" ({', '.join(spec.roles)})" if spec.roles else ""
        return f"{kind} {index}{roles} of '{self.name}'"

    def _view_all(
        self, tensors: Sequence[Any], layout: str, stream: int | None
    ) -> list[View]:
        check_layout(layout)
        if len(tensors) != len(self.arguments):
            raise InvalidArgumentError(
                f"'{self.name}' takes {len(self.arguments)} tensors, "
                f"{len(tensors)} were given: {self!r}"
            )
        return [
            view_in_layout(
                tensor, self._describe("argument", i, spec), spec, layout, stream
            )
            for i, (tensor, spec) in enumerate(zip(tensors, self.arguments))
        ]

    def _get_result_shapes(self, views: list[View]) -> list[tuple[int, ...]]:
        key = tuple((v.type, v.shape) for v in views)
        shapes = self._shapes.get(key)
        if shapes is not None:
            return shapes
        arguments = CTensors(views)
        shapes = []
        for i, spec in enumerate(self.results):
            shape = (c_int64 * max(len(spec.shape), 1))()
            library().call(
                "FunctionGetResultShape", self._handle, arguments, len(views), i, shape
            )
            shapes.append(tuple(shape[: len(spec.shape)]))
        # Lengths of a decoder differ at each call.
        if len(self._shapes) >= 1024:
            self._shapes.clear()
        self._shapes[key] = shapes
        return shapes

    def _make_results(
        self,
        tensors: Sequence[Any],
        views: list[View],
        out: Any,
        layout: str,
        framework: Framework,
    ) -> tuple[list[Any], list[View]]:
        """What the call returns, and the same as views."""
        shapes = self._get_result_shapes(views)
        given = self._split_out(out)
        returned: list[Any] = []
        results: list[View] = []
        for i, spec in enumerate(self.results):
            place = spec.in_argument if spec.in_argument is not None else spec.in_result
            if place is not None:
                known = tensors if spec.in_argument is not None else returned
                known_views = views if spec.in_argument is not None else results
                if given[i] is not None and given[i] is not known[place]:
                    raise InvalidArgumentError(
                        f"{self._describe('result', i, spec)} is written to "
                        f"{'argument' if known is tensors else 'result'} {place}; "
                        "leave it out of `out`"
                    )
                returned.append(known[place])
                results.append(known_views[place])
                continue
            tensor = given[i]
            if tensor is None:
                shape = shapes[i]
                if layout == "bshd" and spec.has_heads:
                    shape = (shape[0], shape[2], shape[1], shape[3])
                tensor = framework.empty(shape, TYPES.index(spec.type), views[0])
            returned.append(tensor)
            results.append(self._view_result(i, spec, tensor, layout, views[0].device))
        return returned, results

    def _split_out(self, out: Any) -> list[Any]:
        count = len(self.results)
        if out is None:
            return [None] * count
        given = list(out) if isinstance(out, (tuple, list)) else [out]
        if len(given) != count:
            raise InvalidArgumentError(
                f"'{self.name}' has {count} results, `out` has {len(given)} tensors"
            )
        return given

    def _view_result(
        self, index: int, spec: TensorSpec, tensor: Any, layout: str, device: int
    ) -> View:
        name = self._describe("result", index, spec)
        found = view_in_layout(tensor, name, spec, layout, None)
        if found.device != device:
            raise WrongDeviceError(
                f"{name} is on {device_name(found.device)}, the arguments on {device_name(device)}"
            )
        if found.read_only:
            raise InvalidArgumentError(f"{name} is read-only; give one to write to")
        return found

    def _get_workspace_bytes(self, program: c_void_p, views: list[View]) -> int:
        size = c_uint64()
        library().call(
            "ProgramGetWorkspaceBytes", program, CTensors(views), len(views), byref(size)
        )
        return size.value

    def _get_scratch(
        self,
        program: c_void_p,
        views: list[View],
        device: int,
        workspace: Any,
        framework: Framework,
    ) -> tuple[int, int, Any]:
        """Address, size and owner of the workspace."""
        if workspace is not None:
            name = f"the workspace of '{self.name}'"
            found = view(workspace, name)
            if found.device != device:
                raise WrongDeviceError(
                    f"{name} is on {device_name(found.device)}, the arguments on "
                    f"{device_name(device)}"
                )
            return found.data, math.prod(found.shape) * TYPE_BYTES[found.type], workspace
        if device == HOST:
            return 0, 0, None
        size = self._get_workspace_bytes(program, views)
        if size == 0:
            return 0, 0, None
        address, owner = framework.scratch(size, device)
        return address, size, owner

"""A function of a package."""

from __future__ import annotations

import operator
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from ctypes import byref, c_int64, c_uint64, c_void_p
from functools import partial
from typing import TYPE_CHECKING, Any

from ._frameworks import Framework, framework_of
from ._library import HOST, TensorInfo, driver, library
from ._specs import (
    TensorSpec,
    advise_layout,
    check_layout,
    common_device,
    on_one_line,
    read_spec,
)
from ._results import make_results, split_out
from ._views import CTensors, View, view
from ._workspace import make_workspace, take_workspace
from .errors import InvalidArgumentError, WrongShapeError

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
        # Of messages, and where results go that have no memory of their own.
        self._argument_names = self._describe_all("argument", self.arguments)
        self._result_names = self._describe_all("result", self.results)
        self._written = {
            spec.in_argument for spec in self.results if spec.in_argument is not None
        }
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

    @property
    def is_open(self) -> bool:
        """Whether it can be called: its package is not closed."""
        return self._package.is_open

    def is_same(self, other: Function) -> bool:
        """Whether it is the function of that name of an equal package, which may have
        been loaded another time."""
        return self.name == other.name and self._package.is_same(other._package)

    def __copy__(self) -> Function:
        return self

    def __deepcopy__(self, memo: object) -> Function:
        """The same function, which never changes."""
        return self

    def __reduce__(self) -> Any:
        """As its package and its name."""
        return (operator.getitem, (self._package, self.name))

    def __repr__(self) -> str:
        return f"<sparse_attn.Function {self._print('bhsd')}>"

    def _print(self, layout: str) -> str:
        def join(specs: Sequence[TensorSpec]) -> str:
            return ", ".join(f"{s.type}{s.in_order(s.shape, layout)}" for s in specs)

        return f"{on_one_line(self.name)}({join(self.arguments)}) -> ({join(self.results)})"

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
        return list(self._get_result_shapes(views, layout))

    def get_result_shapes(
        self, views: list[View], layout: str
    ) -> list[tuple[int, ...]]:
        """The same of tensors that need no memory.

        Raises InvalidArgumentError where the package is closed.
        """
        self._package._check_open()
        return list(self._get_result_shapes(views, layout))

    def workspace_bytes(self, *tensors: Any, layout: str = "bhsd") -> int:
        """Bytes of scratch memory for arguments like these, on their device."""
        views = self._view_all(tensors, layout, None)
        self._get_result_shapes(views, layout)
        program = self._load(common_device(views))
        return self._get_workspace_bytes(program, views, layout)

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
        for those who keep one; by default the framework's allocator gives one. On the
        CPU that is none, and one of more than 0 bytes is an error.

        ``stream``: a CUstream's address; by default PyTorch's or CuPy's current
        stream, or the one that ``__cuda_array_interface__`` names. On a GPU the call
        returns before the results are there.

        ``layout``: "bhsd" for tensors [batch, heads, sequence, head size]; with
        "bshd" queries, keys, values and outputs are [batch, sequence, heads, head
        size]. LSE is [batch, heads, sequence] in both.

        Raises InvalidArgumentError, WrongTypeError, WrongShapeError,
        WrongStridesError, MisalignedError, WrongDeviceError, TooLargeError,
        SmallWorkspaceError, OutOfMemoryError, NoBackwardError, and what ``prepare``
        does. Nothing was launched then. Of PyTorch tensors that require a gradient,
        the results raise NoBackwardError in the backward pass.
        """

        def compute(*given: Any) -> Any:
            return self._compute(given, out, workspace, stream, layout)

        # Else nothing can ask for derivatives.
        if "torch" not in sys.modules:
            return compute(*tensors)
        from ._autograd import call

        return call(compute, repr(self.name), tensors, self._get_written(tensors, out))

    def _get_written(self, tensors: Sequence[Any], out: Any) -> list[Any]:
        """What results are written to that was given."""
        written = [tensors[i] for i in self._written if i < len(tensors)]
        if out is not None:
            written += [place for place in split_out(self, out) if place is not None]
        return written

    def _compute(
        self,
        tensors: Sequence[Any],
        out: Any,
        workspace: Any,
        stream: int | None,
        layout: str,
    ) -> Any:
        views = self._view_all(tensors, layout, stream)
        device = common_device(views)
        program = self._load(device)
        framework = framework_of(tensors[0]) if tensors else Framework()
        scope: Any = nullcontext()
        if device == HOST:
            if stream:
                raise InvalidArgumentError(
                    "a stream is given for tensors on the CPU, which has none; leave "
                    "it out"
                )
        elif stream is None:
            stream = framework.current_stream(device, views)
        else:
            scope = framework.on_stream(stream, device)
        with scope:
            returned, results = make_results(
                self, tensors, views, out, layout, framework
            )
            name = f"the workspace of {self.name!r}"
            if workspace is not None:
                scratch = take_workspace(name, workspace, device)
            else:
                size = 0
                if device != HOST:
                    size = self._get_workspace_bytes(program, views, layout)
                scratch = make_workspace(name, size, device, framework)
            library().call(
                "ProgramLaunch",
                program,
                CTensors(views, layout),
                len(views),
                CTensors(results, layout),
                len(results),
                *scratch[:2],
                # 1 is the legacy default stream to others, 0 to the runtime.
                c_void_p(stream if stream and stream != 1 else None),
            )
        return returned[0] if len(returned) == 1 else tuple(returned)

    def _describe_all(self, kind: str, specs: Sequence[TensorSpec]) -> list[str]:
        return [
            f"{kind} {i}{spec.print_roles()} of {self.name!r}"
            for i, spec in enumerate(specs)
        ]

    def _view_all(
        self, tensors: Sequence[Any], layout: str, stream: int | None
    ) -> list[View]:
        check_layout(layout)
        if len(tensors) != len(self.arguments):
            raise InvalidArgumentError(
                f"{self.name!r} takes {len(self.arguments)} tensors, "
                f"{len(tensors)} were given: {self._print(layout)}"
            )
        return [
            view(tensor, name, stream)
            for tensor, name in zip(tensors, self._argument_names)
        ]

    def _get_result_shapes(
        self, views: list[View], layout: str
    ) -> list[tuple[int, ...]]:
        key = (layout, *((v.type, v.shape) for v in views))
        shapes = self._shapes.get(key)
        if shapes is not None:
            return shapes
        ask = partial(self._ask_result_shapes, views)
        with advise_layout(layout, WrongShapeError, ask):
            shapes = ask(layout)
        # Lengths of a decoder differ at each call.
        if len(self._shapes) >= 1024:
            self._shapes.clear()
        self._shapes[key] = shapes
        return shapes

    def _ask_result_shapes(
        self, views: list[View], layout: str
    ) -> list[tuple[int, ...]]:
        arguments = CTensors(views, layout)
        shapes = []
        for i, spec in enumerate(self.results):
            shape = (c_int64 * max(len(spec.shape), 1))()
            library().call(
                "FunctionGetResultShape", self._handle, arguments, len(views), i, shape
            )
            shapes.append(tuple(spec.in_order(shape[: len(spec.shape)], layout)))
        return shapes

    def _get_workspace_bytes(
        self, program: c_void_p, views: list[View], layout: str
    ) -> int:
        size = c_uint64()
        library().call(
            "ProgramGetWorkspaceBytes",
            program,
            CTensors(views, layout),
            len(views),
            byref(size),
        )
        return size.value

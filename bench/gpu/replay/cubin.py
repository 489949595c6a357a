"""Reads what a cubin, an ELF file, says of its kernels."""

import dataclasses
import pathlib
import struct
from collections.abc import Iterator

# Attributes of .nv.info sections whose value is what we want to know.
FRAME_SIZE, REGISTER_COUNT = 0x11, 0x2F
MAX_THREADS, REQUIRED_THREADS = 0x05, 0x10
SYMBOL_TABLE, FUNCTION = 2, 2


@dataclasses.dataclass
class Kernel:
    """Sizes are in bytes, registers those of a thread."""

    name: str
    symbol: int  # its index, by which nvdisasm is asked for it
    registers: int
    static_shared: int
    stack: int = 0
    max_threads: int = 0


@dataclasses.dataclass(frozen=True)
class Section:
    """A section header of ELF64."""

    name: str
    kind: int
    offset: int
    size: int
    link: int
    info: int


def _string(data: bytes, at: int) -> str:
    return data[at:data.index(b"\0", at)].decode()


def _sections(data: bytes) -> list[Section]:
    table, = struct.unpack_from("<Q", data, 0x28)
    count, names = struct.unpack_from("<HH", data, 0x3C)
    heads = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * i) for i in range(count)]
    strings = heads[names][4]
    return [Section(_string(data, strings + head[0]), head[1], *head[4:8]) for head in heads]


def _symbols(data: bytes, sections: list[Section]) -> list[tuple[str, bool]]:
    """Name, and whether it is a function, in the order of indices."""
    found = []
    for section in sections:
        if section.kind != SYMBOL_TABLE:
            continue
        strings = sections[section.link].offset
        for at in range(section.offset, section.offset + section.size, 24):
            name, kind = struct.unpack_from("<IB", data, at)
            found.append((_string(data, strings + name), kind & 15 == FUNCTION))
    return found


def _attributes(data: bytes, section: Section) -> Iterator[tuple[int, int, int]]:
    """(attribute, size, where) of those that have a value of their own."""
    at, end = section.offset, section.offset + section.size
    while at + 4 <= end:
        form, attribute, size = struct.unpack_from("<BBH", data, at)
        at += 4
        if form == 4:
            yield attribute, size, at
            at += size


def kernels_of(path: pathlib.Path) -> dict[str, Kernel]:
    """All kernels by name."""
    data = path.read_bytes()
    sections = _sections(data)
    by_name = {section.name: section for section in sections}
    symbols = _symbols(data, sections)
    kernels = {}
    for index, (name, is_function) in enumerate(symbols):
        text, shared = by_name.get(f".text.{name}"), by_name.get(f".nv.shared.{name}")
        if is_function and text:
            kernels[name] = Kernel(name, index, text.info >> 24, shared.size if shared else 0)
            if info := by_name.get(f".nv.info.{name}"):
                for attribute, size, at in _attributes(data, info):
                    if attribute in (MAX_THREADS, REQUIRED_THREADS) and size >= 12:
                        x, y, z = struct.unpack_from("<III", data, at)
                        kernels[name].max_threads = x * y * z
    if shared_info := by_name.get(".nv.info"):
        for attribute, _, at in _attributes(data, shared_info):
            if attribute in (FRAME_SIZE, REGISTER_COUNT):
                symbol, value = struct.unpack_from("<II", data, at)
                kernel = kernels.get(symbols[symbol][0]) if symbol < len(symbols) else None
                if kernel and attribute == FRAME_SIZE:
                    kernel.stack = value
                elif kernel:
                    kernel.registers = value
    return kernels

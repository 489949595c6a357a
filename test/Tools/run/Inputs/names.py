"""Writes functions whose names are taken elsewhere, or that no assembler knows:
all of them into one file, so that each meets the names of all others. Few compute
attention, which takes longer to compile."""

import sys

# Of the C library, of what lowering declares and wraps, of our runtimes, of LLVM's
# intrinsics, of sections; and no identifiers at all.
NAMES = """
malloc free aligned_alloc realloc memcpy memmove memset memrefCopy main _start abort
printf exp exp2f cosf fmaxf __kmpc_fork_call omp_get_thread_num f _mlir_f _mlir_ciface_f
sparse_attn_emu_launch sparse_attn_emu_operations sparse_attn_emu_module
sparse_attn_host_f sparse_attn_machine_f llvm.memcpy.p0.p0.i64 llvm.foo .text $d 0 %d é
""".split() + ["a b", "../f", "a\\22b", "a\\0Ab", "\\01f", "x" * 300]

TENSOR = "tensor<1x1x?x16xf32>"


def function(name):
    """Allocates, copies, computes exponentials, and runs in threads."""
    return f"""
func.func @"{name}"(%q: {TENSOR}, %k: {TENSOR}) -> ({TENSOR}, {TENSOR}) {{
  %c2 = arith.constant 2 : index
  %s = tensor.dim %q, %c2 : {TENSOR}
  %init = tensor.empty(%s) : {TENSOR}
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 16, global_tokens = [0]>)
    ins(%q, %k, %k : {TENSOR}, {TENSOR}, {TENSOR}) outs(%init : {TENSOR}) -> {TENSOR}
  return %o, %k : {TENSOR}, {TENSOR}
}}
"""


def copy(name):
    return f"""
func.func @"{name}"(%x: {TENSOR}) -> {TENSOR} {{
  return %x : {TENSOR}
}}
"""


def write(path, names):
    with open(path, "w") as file:
        file.write("".join(map(function, names)))


def write_all(path, attending):
    with open(path, "w") as file:
        for name in NAMES:
            file.write(function(name) if name in attending else copy(name))


if __name__ == "__main__":
    write_all("all.mlir", sys.argv[1:])
    write("empty.mlir", [""])
    write("zero.mlir", ["a\\00b"])
    write("bytes.mlir", ["a\\FFb"])

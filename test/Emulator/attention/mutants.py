"""Our own kernels, lowered, with one thing broken in each mutant.

Mutants are made from the text line by line: nothing here knows more of a kernel
than what its synchronisation, its copies and its exclusive ors look like.
"""

import dataclasses
import re
import subprocess

WRAPPER = """\
  func.func @run(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
    %qm = bufferization.to_buffer %q : {tensor} to {memref}
    %km = bufferization.to_buffer %k : {tensor} to {memref}
    %vm = bufferization.to_buffer %v : {tensor} to {memref}
    %om = func.call @attention(%qm, %km, %vm) : ({memref}, {memref}, {memref}) -> {memref}
    %o = bufferization.to_tensor %om restrict : {memref} to {tensor}
    return %o : {tensor}
  }}
"""


def lower(mask, shape, options):
    """The module of an attention's kernels, with a function `run` on tensors."""
    tensor = f"tensor<{shape}>"
    text = f"""
      func.func @attention(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
        %init = tensor.empty() : {tensor}
        %o = sparse_attn.attention mask({mask}) ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
          outs(%init : {tensor}) -> {tensor}
        return %o : {tensor}
      }}"""
    done = subprocess.run(
        ["sparse-attn-opt", "-", f"--sparse-attn-nvvm-pipeline=emit=nvvm {options}"],
        input=text, capture_output=True, text=True, check=True,
    )
    wrapper = WRAPPER.format(tensor=tensor, memref=f"memref<{shape}>")
    head, brace, rest = done.stdout.partition("  func.func @attention(")
    return head + wrapper + brace + rest


@dataclasses.dataclass(frozen=True)
class Mutant:
    kind: str
    number: int  # among those of its kind, in order of the text
    text: str

    @property
    def name(self):
        return f"{self.kind} {self.number}"


def without(line):
    return ""


def replaced(pattern, by):
    return lambda line: re.sub(pattern, by, line)


# What is broken, in which lines, how, and in every how many-th of them.
KINDS = [
    ("no barrier", r"nvvm\.barrier0", without, 1),
    ("no wait", r"cp\.async\.wait\.group", without, 1),
    ("weaker wait", r"cp\.async\.wait\.group 0", replaced("group 0", "group 1"), 1),
    ("no commit", r"cp\.async\.commit\.group", without, 1),
    ("no mbarrier", r"mbarrier\.init", without, 1),
    ("no wait at mbarrier", r"mbarrier\.test\.wait", replaced(r"= .*", "= llvm.mlir.constant(true) : i1"), 1),
    ("other phase", r"mbarrier\.test\.wait",
     replaced(r"(%\d+ = nvvm\.mbarrier\.test\.wait %\d+), (%\d+)(.*)",
              r"%one = llvm.mlir.constant(1 : i32) : i32\n%other = llvm.xor \2, %one : i32\n\1, %other\3"), 1),
    ("no arrival of copies", r"cp\.async\.mbarrier\.arrive", without, 1),
    ("no arrival of readers", r"= nvvm\.mbarrier\.arrive", without, 1),
    ("no meeting of readers", r"bar\.warp\.sync", without, 1),
    ("no copy", r"cp\.async\.shared", without, 5),
    ("copy of half", r"cp\.async\.shared.* 16, cache = +cg :",
     replaced(r"16, cache = +cg", "8, cache =  ca"), 7),
    ("copy past the end", r"cp\.async\.shared.*, %\d+ :", replaced(r", %\d+ :(.*), i32", r" :\1"), 5),
    ("no swizzle", r"llvm\.xor .* : i32", replaced(r"xor (%\d+), %\d+", r"or \1, \1"), 2),
    ("rows left out", r"vote\.sync +any", replaced(r"= .*", "= llvm.mlir.constant(false) : i1"), 1),
    ("no shuffle", r"shfl\.sync", replaced(r"= .*bfly %\d+, (%\d+),.*", r"= llvm.fneg \1 : f32"), 7),
]


QUESTION = re.compile(
    r"((%\d+) = nvvm\.barrier #nvvm\.reduction<and> %\d+ -> i32\n"
    r" *%\d+ = llvm\.icmp )\"ne\" \2, %\d+"
)


def trusting(text):
    """The same kernels, but the result of the steps that all inputs reach is always
    trusted. Else the fallback path would repair it where what is broken makes a NaN."""
    kernels = re.split(r"(?=  llvm\.func )", text)
    return "".join(QUESTION.sub(r'\1"eq" \2, \2', part, count=1) for part in kernels)


def is_ordinary(lines):
    """For each line whether all inputs reach it: behind the barrier of each kernel
    that asks whether its result can be trusted come the same steps once more."""
    ordinary, flags = True, []
    for line in lines:
        if "llvm.func" in line:
            ordinary = True
        elif "#nvvm.reduction" in line:
            ordinary = False
        flags.append(ordinary)
    return flags


def mutants(text):
    lines = text.splitlines(keepends=True)
    ordinary = is_ordinary(lines)
    for kind, pattern, mutate, every in KINDS:
        found = [
            n for n, line in enumerate(lines) if ordinary[n] and re.search(pattern, line)
        ]
        for number, at in list(enumerate(found))[::every]:
            changed = mutate(lines[at].rstrip("\n"))
            assert changed != lines[at].rstrip("\n"), lines[at]
            yield Mutant(
                kind, number, "".join([*lines[:at], changed + "\n", *lines[at + 1 :]])
            )
    for number, swapped in enumerate(swaps(text)):
        yield Mutant("wait behind barrier", number, swapped)


def swaps(text):
    """Each wait exchanged with the barrier that follows it."""
    pattern = re.compile(r"( *nvvm\.cp\.async\.wait\.group \d+\n)( *nvvm\.barrier0\n)")
    ordinary = is_ordinary(text.splitlines())
    for match in pattern.finditer(text):
        if not ordinary[text.count("\n", 0, match.start())]:
            continue
        yield text[: match.start()] + match[2] + match[1] + text[match.end() :]

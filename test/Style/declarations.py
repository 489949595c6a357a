"""What C++ files define at namespace scope, as far as names and namespaces go. Not a parser of
C++: it follows braces, and knows the style that this repository is written in."""

import re
from dataclasses import dataclass

_SILENT = re.compile(
    r"""
      //[^\n]* | /\*.*?\*/                                 # comments
    | R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"                   # literals
    | "(?:\\.|[^"\\\n])*" | (?<!\w)'(?:\\.|[^'\\\n])+'
    | ^[ \t]*\#(?:[^\\\n]|\\.|\\\n)*                       # the preprocessor's lines
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_NAMESPACE = re.compile(r"(?:inline\s+)?namespace\b\s*([\w:]*)\s*$")
_TYPE = re.compile(
    r"(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+"
    r"(?:alignas\s*\([^)]*\)\s*|\[\[.*?\]\]\s*|[A-Z][A-Z0-9_]+\s+(?=\w))*"
    r"(?P<name>[\w:]+)\s*(?P<specialised><)?[^()=]*$",
    re.DOTALL,
)
_FUNCTION = re.compile(r"(?P<name>operator\s*[^\s(]+|[\w:~]+)\s*(?P<parameters>\(.*)", re.DOTALL)


@dataclass(frozen=True)
class Declaration:
    kind: str  # "type", "function template", "function" or, without a body, "declaration"
    name: str  # with its namespaces; an unnamed one is an empty part
    signature: str  # of a function
    line: int

    @property
    def is_shared(self) -> bool:
        """Whether it is a definition that another file may mean by the same name."""
        return self.kind != "declaration" and "" not in self.name.split("::")

    @property
    def key(self) -> str:
        """What tells it from others. Overloads of function templates count as one."""
        return self.name + (self.signature if self.kind == "function" else "")


def _blank(match: "re.Match[str]") -> str:
    return re.sub(r"[^\n]", " ", match.group(0))


def without_silent(source: str) -> str:
    """`source` with spaces for comments, literals and the preprocessor's lines."""
    return _SILENT.sub(_blank, source)


def _split_template(head: str) -> "tuple[bool, str]":
    """Whether `head` begins with `template <...>`, and what follows."""
    rest = head.strip()
    is_template = rest.startswith("template")
    while rest.startswith("template"):
        depth, end = 1, rest.index("<") + 1
        while depth:
            depth += {"<": 1, ">": -1}.get(rest[end], 0)
            end += 1
        rest = rest[end:].strip()
    return is_template, rest


def _declared(head: str, has_body: bool) -> "tuple[str, str, str] | None":
    is_template, rest = _split_template(head)
    match = _TYPE.match(rest) if has_body else None
    if match:
        return None if match["specialised"] else ("type", match["name"], "")
    match = _FUNCTION.search(rest)
    if not match or re.match(r"(static|using|typedef|extern|friend)\b", rest):
        return None
    kind = "function template" if is_template else "function"
    # Defined elsewhere, or a variable.
    if not has_body or "=" in rest[: match.start("parameters")]:
        kind = "declaration"
    return kind, match["name"], re.sub(r"\s+", " ", match["parameters"]).strip()


def declarations(source: str) -> "list[Declaration]":
    """What `source` declares in namespaces, types only where it defines them."""
    text = without_silent(source)
    found = []
    scopes: "list[str | None]" = []  # names of namespaces; None is any other brace
    begin = 0
    for match in re.finditer(r"[;{}]", text):
        head, begin = text[begin : match.start()], match.end()
        if match.group() == "}":
            if scopes:
                scopes.pop()
            continue
        has_body = match.group() == "{"
        scope = _NAMESPACE.search(head) if has_body else None
        declared = None if scope or None in scopes else _declared(head, has_body)
        if declared:
            kind, name, signature = declared
            line = text.count("\n", 0, match.start() - len(head.lstrip())) + 1
            found.append(Declaration(kind, "::".join([*scopes, name]), signature, line))
        if has_body:
            scopes.append(scope[1] if scope else None)
    return found

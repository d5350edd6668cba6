"""Which single changes could be made to a file: Python by its syntax tree, C and SQL by their text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

FLIPS = {"<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="]}
FLIPS |= {"is not": ["is"], "is": ["is not"], "not in": ["in"], "in": ["not in"], "and": ["or"], "or": ["and"]}
FLIPS |= {"+": ["-"], "-": ["+"], "+=": ["-="], "-=": ["+="], "True": ["False"], "False": ["True"]}
C_FLIPS = {word: FLIPS[word] for word in ("<", "<=", ">", ">=", "==", "!=", "+", "-", "+=", "-=")}
C_FLIPS |= {"&&": ["||"], "||": ["&&"], "++": ["--"], "--": ["++"]}
SQL_FLIPS = {word: FLIPS[word] for word in ("<", "<=", ">", ">=", "+", "-")}
SQL_FLIPS |= {"=": ["<>"], "<>": ["="], "AND": ["OR"], "OR": ["AND"], "IS NULL": ["IS NOT NULL"], "NOT IN": ["IN"]}
SQL_FLIPS |= {"LEFT JOIN": ["JOIN"], "UNION ALL": ["UNION"], "DISTINCT": [""]}
NAMES = {"min": "max", "any": "all", "minimum": "maximum", "least": "greatest", "floor": "ceil", "argmin": "argmax"}
NAMES |= {other: name for name, other in NAMES.items()}
SQL = re.compile(r"\b(SELECT|FROM|WHERE|CASE WHEN|GROUP BY|ORDER BY|PARTITION BY|least\(|greatest\(|CAST\()")
SILENT = re.compile(r"(log|logger|warnings)\.")
"""What such a call says is no part of the logic."""


@dataclass(frozen=True, order=True)
class Change:
    """Bytes *start* to *end* of *file*, which stand in *line*, become *new*."""

    file: str
    line: int
    start: int
    end: int
    new: bytes = field(repr=False)

    def made(self, source: bytes) -> bytes:
        return source[: self.start] + self.new + source[self.end :]

    def shown(self, source: bytes) -> str:
        """The changed lines: now -> changed."""
        first, last = source.rfind(b"\n", 0, self.start) + 1, (source + b"\n").index(b"\n", self.end)
        texts = source[first:last], source[first : self.start] + self.new + source[self.end : last]
        return " -> ".join(" ".join(text.decode().split()) for text in texts)


def changes(file: str, source: bytes) -> list[Change]:
    """Every change known here, in the order of the file."""
    places = _python(source) if file.endswith(".py") else _c(source)
    return sorted({Change(file, source.count(b"\n", 0, a) + 1, a, b, new.encode()) for a, b, new in places})


Place = tuple[int, int, str]


def _flips(text: str, at: int, table: dict[str, list[str]]) -> Iterator[Place]:
    """Operators between blanks (C's ++ without), whole numbers, and names of functions."""
    words = "|".join(map(re.escape, sorted(table, key=len, reverse=True)))
    for match in re.finditer(rf"(?<=[\s(])(?:{words})(?=\s)|\+\+|--", text):
        for new in table.get(match[0], []):
            yield at + match.start(), at + match.end(), new
    for match in re.finditer(r"(?<![\w.\"'])\d+(?=u?l*\b)", text):
        yield at + match.start(), at + match.end(), str(int(match[0]) + 1)
    for match in re.finditer(rf"\b({'|'.join(NAMES)})(?=\()", text):
        yield at + match.start(), at + match.end(), NAMES[match[0]]


def _c(source: bytes) -> Iterator[Place]:
    """Comments and lines for the preprocessor stay; so do declarations, whose loss the compiler would notice."""
    hidden = re.compile(r"/\*.*?\*/|^#.*?$", re.DOTALL | re.MULTILINE)
    text = hidden.sub(lambda match: re.sub(r"[^\n]", "~", match[0]), source.decode("latin-1"))
    yield from _flips(text, 0, C_FLIPS)
    effects = r"[a-z_*][\w.*\[\]>+-]* [-+|&^]?= [^;{}]+|\w+\([^;{}]*\)|continue|[*\w.\[\]>-]+(?:\+\+|--)"
    for match in re.finditer(rf"^ +({effects});$", text, re.MULTILINE):
        yield match.start(1), match.end(1), ""
    for match in re.finditer(r"\b(?:if|while) \(", text):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield match.end(), end - 1, f"!({text[match.end() : end - 1]})"


def _python(source: bytes) -> Iterator[Place]:
    starts = [0, *(match.end() for match in re.finditer(rb"\n", source))]

    def span(node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def between(left: ast.expr, right: ast.expr, words: Iterable[str]) -> Iterator[Place]:
        at, end = span(left)[1], span(right)[0]
        for word in words:
            if match := re.search(rb"(?<![\w<>=!])" + re.escape(word.encode()) + rb"(?![\w<>=])", source[at:end]):
                yield from ((at + match.start(), at + match.end(), new) for new in FLIPS[word])
                return

    def negated(test: ast.expr) -> Iterator[Place]:
        at, end = span(test)
        yield at, end, f"(not ({source[at:end].decode()}))"

    def of(node: ast.AST) -> Iterator[Place]:
        match node:
            case ast.Compare():
                for left, right in pairwise([node.left, *node.comparators]):
                    yield from between(left, right, ("is not", "not in", "is", "in", "<=", ">=", "==", "!=", "<", ">"))
            case ast.BoolOp():
                for left, right in pairwise(node.values):
                    yield from between(left, right, ("and", "or"))
            case ast.BinOp(op=ast.Add() | ast.Sub()) if not any(map(_is_text, (node.left, node.right))):
                yield from between(node.left, node.right, ("+", "-"))
            case ast.AugAssign(op=ast.Add() | ast.Sub()) if not _is_text(node.value):
                yield from between(node.target, node.value, ("+=", "-="))
            case ast.Constant(value=bool(value)):
                yield *span(node), str(not value)
            case ast.Constant(value=int(value)):
                yield *span(node), str(value + 1)
            case ast.Constant(value=float(value)):
                yield *span(node), repr(2 * value or 1.0)
            case ast.If() | ast.While() | ast.IfExp():
                yield from negated(node.test)
            case ast.comprehension():
                for test in node.ifs:
                    yield from negated(test)
            case ast.Call():
                yield from called(node)
            case ast.JoinedStr() | ast.Constant(value=str()):
                at, end = span(node)
                text = source[at:end].decode("latin-1")
                if SQL.search(text):
                    yield from _flips(text, at, SQL_FLIPS)
        if isinstance(node, ast.stmt) and _is_effect(node):
            yield *span(node), "pass"

    def called(node: ast.Call) -> Iterator[Place]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in NAMES:
            end = span(node.func)[1]
            yield end - len(name), end, NAMES[name]
        given = sorted([*map(span, node.args), *map(span, node.keywords)])
        for keyword in (keyword for keyword in node.keywords if keyword.arg):
            at, end = span(keyword)
            before, after = [b for _, b in given if b <= at], [a for a, _ in given if a >= end]
            yield (before[-1], end, "") if before else (at, after[0] if after else end, "")

    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        yield from of(node)
        waiting += _inside(node)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The children that are logic: no types, decorators or docstrings, no messages, and no parts of an f-string."""
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if docstring or isinstance(node, ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            said = isinstance(child, ast.Expr) and SILENT.match(ast.unparse(child))
            types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            if isinstance(child, ast.AST) and not said and not types and not _is_assertion(child):
                yield child


def _is_assertion(node: ast.AST) -> bool:
    """Whether it says what cannot be otherwise: no test can reach its failure."""
    raised = ast.unparse(node.exc) if isinstance(node, ast.Raise) and node.exc is not None else ""
    return isinstance(node, ast.Assert) or raised.startswith(("AssertionError", "NotImplementedError"))


def _is_text(node: ast.expr) -> bool:
    """Whether it is a text or a list: these cannot be subtracted."""
    return isinstance(node, ast.JoinedStr | ast.List | ast.ListComp | ast.Tuple) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _is_effect(node: ast.stmt) -> bool:
    """Whether no name is missing without the statement."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete() | ast.Raise() | ast.Continue():
            return True
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            return True
    return False

"""A payload judged by straight-line code made from its item: it answers "certainly valid" and nothing else.

Whatever it is not sure of goes to fastavro and the validator that explains. Both must agree on every payload, which a
property test holds them to. Per record this costs half of decoding into a dict and walking over the checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.chassis import wire
from services.chassis.errors import Unhandleable
from services.ingestion.domain.conditions import Condition
from services.ingestion.domain.definition import ENVELOPE_NAMES, Field, Item
from services.ingestion.domain.formats import COMPANIONS, fits
from services.ingestion.domain.identifiers import holds_identity_number
from services.ingestion.domain.submission import Envelope
from services.ingestion.domain.validators import CONTROL, DECIMAL, FIRST_DAY, LAST_DAY, in_code_list

FastPath = Callable[[bytes, int, Envelope], bool]

# A length in one or two bytes; a longer text (over 8,191 bytes) is left to the slow path.
LENGTH = (
    "n = data[at]; at += 1",
    "if n > 127:",
    "    m = data[at]; at += 1",
    "    if m > 127: return False",
    "    n = n & 127 | m << 7",
    "if n & 1: return False",
    "end = at + (n >> 1)",
)


class Writer:
    """Collects the lines of the function."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "read_long": _read_long,
            "decimal": DECIMAL.fullmatch,
            "control": CONTROL.search,
            "identity_number": holds_identity_number,
            "fits": fits,
            "in_code_list": in_code_list,
        }
        self.index = {field.code: i for i, field in enumerate(item.fields)}

    def add(self, depth: int, *lines: str) -> None:
        """Append lines at this depth."""
        self.lines.extend("    " * (depth + 2) + line for line in lines)

    def constant(self, name: str, value: Any) -> str:
        """Give the function a value by name."""
        self.names[name] = value
        return name

    def known(self, name: str) -> str:
        """The expression that holds an envelope or payload value; a name that the item lacks has none."""
        if name in self.index:
            return f"v{self.index[name]}"
        return f"envelope.{name}" if name in ENVELOPE_NAMES else "None"

    def is_number(self, name: str) -> bool:
        """Whether that value can be compared with a day at all."""
        if name in self.index:
            return self.item.fields[self.index[name]].type not in ("string", "decimal")
        return name == "decided_on"


def compile_fast_path(item: Item) -> FastPath:
    """The function for one edition of an item."""
    writer = Writer(item)
    for i, field in enumerate(item.fields):
        _read(writer, i, field)
    writer.add(0, "if at != len(data): return False")
    for i, field in enumerate(item.fields):
        _judge(writer, i, field)
    texts = [
        f"v{i}" + ("" if f.required == "mandatory" else " or ''") for i, f in enumerate(item.fields) if _is_text(f)
    ]
    if texts:
        writer.add(
            0, f"text = '\\t'.join(({', '.join(texts)},))", "if control(text) or identity_number(text): return False"
        )
    writer.add(0, "return True")
    return _compile(writer)


def _compile(writer: Writer) -> FastPath:
    head = ["def certainly_valid(data, at, envelope):", "    try:"]
    tail = ["    except (IndexError, UnicodeDecodeError, Unreadable):", "        return False"]
    source = "\n".join([*head, *writer.lines, *tail])
    writer.names["Unreadable"] = Unhandleable
    exec(compile(source, f"<fast path of {writer.item.code}>", "exec"), writer.names)  # noqa: S102 - from the catalogue's names, which are identifiers
    made: FastPath = writer.names["certainly_valid"]
    return made


def _read_long(data: bytes, at: int) -> tuple[int, int]:
    prefix = wire.Prefix(data, at)
    return prefix.long(), prefix.at


def _is_text(field: Field) -> bool:
    return field.type == "string"


def _read(writer: Writer, i: int, field: Field) -> None:
    depth = 0
    if field.required != "mandatory":
        writer.add(0, "u = data[at]; at += 1", f"if u == 0: v{i} = None", "elif u != 2: return False", "else:")
        depth = 1
    if field.type in ("string", "decimal"):
        writer.add(depth, *LENGTH, f"v{i} = data[at:end].decode(); at = end")
    elif field.type == "bool":
        writer.add(depth, f"v{i} = data[at]; at += 1", f"if v{i} > 1: return False", f"v{i} = v{i} == 1")
    else:
        writer.add(depth, f"v{i}, at = read_long(data, at)")


def _judge(writer: Writer, i: int, field: Field) -> None:
    depth = 0
    if field.required != "mandatory":
        if field.condition is not None:
            writer.add(0, f"if v{i} is None:", f"    if {_holds(writer, field.condition)}: return False", "else:")
        else:
            writer.add(0, f"if v{i} is not None:")
        depth = 1
    conditions = [*_conditions(writer, i, field), "False"]
    writer.add(depth, f"if {' or '.join(conditions)}: return False")


def _conditions(writer: Writer, i: int, field: Field) -> list[str]:
    """Expressions that are true where the value is not certainly valid."""
    v = f"v{i}"
    if field.type == "string":
        return [f"not {v} or len({v}) > {field.max_length} or {v}[0].isspace()", *_text_conditions(writer, i, field)]
    if field.type == "decimal":
        return [f"not decimal({v})", *_agreement(writer, v, field)]
    if field.type == "bool":
        return _agreement(writer, v, field)
    low, high = (FIRST_DAY, LAST_DAY) if field.type == "date" else (field.minimum, field.maximum)
    found = [f"not {low} <= {v} <= {high}", *_agreement(writer, v, field)]
    if field.not_before and field.type == "date" and writer.is_number(field.not_before):
        other = writer.known(field.not_before)
        found.append(f"({other} is not None and {v} < {other})")
    return found


def _text_conditions(writer: Writer, i: int, field: Field) -> list[str]:
    v = f"v{i}"
    found = [*_agreement(writer, v, field), *_kept_out(writer, i, field)]
    if field.code_list and not field.separator:
        found.append(f"{v} not in {writer.constant(f'list{i}', frozenset(e for e in field.code_list if '*' not in e))}")
    elif field.code_list:
        found.append(f"not in_code_list({writer.constant(f'field{i}', field)}, {v})")
    if field.format:
        companion = COMPANIONS.get(field.format)
        found.append(f"not fits({field.format!r}, {v}, {writer.known(companion) if companion else None})")
    return found


def _kept_out(writer: Writer, i: int, field: Field) -> list[str]:
    rules = [rule for rule in writer.item.not_collected if field.code in rule.fields]
    names = [writer.constant(f"kept_out{i}_{n}", rule.found) for n, rule in enumerate(rules)]
    return [f"{name}(v{i}, envelope.subject_name) is not None" for name in names]


def _agreement(writer: Writer, v: str, field: Field) -> list[str]:
    if not field.same_as:
        return []
    differs = f"{v} != {writer.known(field.same_as)}"
    return [f"(envelope.subject_code_kind == 'uscc' and {differs})" if field.same_as == "subject_code" else differs]


def _holds(writer: Writer, condition: Condition) -> str:
    value = writer.known(condition.name)
    if condition.operator == "=":
        return f"{value} in {condition.values!r}"
    if condition.operator == "~":
        return f"{value} is not None and ({' or '.join(f'{part!r} in str({value})' for part in condition.values)})"
    return f"{value} not in (None, '')"

"""Why a row cannot be sent, in the words of a receipt; a value is never repeated."""

from __future__ import annotations

from typing import NamedTuple

TEXTS: dict[str, tuple[str, str]] = {
    "CELL_DATE": ("不是日期", "a date such as 2017-03-29 is needed"),
    "CELL_NUMBER": ("不是整数", "a whole number is needed"),
    "CELL_TRUTH": ("只能是是或否", "是 or 否 (true or false) is needed"),
    "CELL_AMOUNT": ("不是金额", "an amount is needed, thousands rightly grouped or not at all"),
    "CELL_AMOUNT_UNIT": (
        "单元格所写单位与列的单位（{unit}）不同",
        "the cell names another unit than its column ({unit})",
    ),
    "CELL_AMOUNT_FRACTION": ("金额含不足一分的部分", "the amount has a part of a 分"),
    "CELL_VALUE": (
        "取值在{shape}版代码中没有对应值，可用：{known}",
        "the value has no counterpart in the codes of shape {shape}; known: {known}",
    ),
    "CODES_SWAPPED": (
        "此列应为{wanted}，校验位表明其内容为{found}，请检查代码列是否互换或填错版本",
        "the column should hold the {wanted}, and by its check digit holds a {found}: are two code columns swapped, "
        "or is the file of another vintage than {shape}?",
    ),
    "CODE_CHECK_DIGIT": ("{wanted}的校验位不正确", "the check digit of the {wanted} is wrong"),
    "COLUMNS_SHIFTED": ("单元格多于列数，可能整行错位", "more cells than columns: the row may be shifted"),
    "FIELD_MISSING": ("必填列为空", "is required and empty"),
    "ROW_TOO_LARGE": ("整行超过消息大小上限", "the row is larger than a message may be"),
    "SUBJECT_KIND_NOT_ALLOWED": (
        "此目录事项不接收{zh}，该行未发送",
        "the item takes no {en}; nothing of the row has left this machine",
    ),
    "SIMPLE_PROCEDURE_PERSON": (
        "对自然人适用简易程序作出的处罚不予归集",
        "a penalty on a person by simple procedure is not collected",
    ),
    "USE_RESTRICTED": (
        "信息使用范围不允许此目录事项的披露方式（{zh}）",
        "the row is not meant for as many as the item is disclosed to ({en})",
    ),
    "NOT_COLLECTED": (
        "此信息依法不予归集：{zh}。该行未发送；填写有误的，更正后重新报送",
        "the law keeps this out of the item: {en}; nothing of the row has left this machine. If it is wrong, mend it",
    ),
    "BUSINESS_KEY_TWICE": (
        "与第{line}行是同一决定（文号括号、字形不同视为相同），record_no却不同",
        "says the same decision as row {line} (brackets and forms of its number do not count) under another record_no",
    ),
}
EXAMPLES = {"CELL_DATE": "2017-03-29", "CELL_NUMBER": "2017", "CELL_AMOUNT": "2,000", "CELL_TRUTH": "是"}


class CellFault(NamedTuple):
    """One fault of a row: what a receipt says of a fault, as far as a file door can say it."""

    code: str
    field: str
    message_zh: str
    message_en: str
    example: str


class RowFault(Exception):
    """A row that no submission can be made of, with all that is wrong with it."""

    def __init__(self, faults: tuple[CellFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message_en}" for fault in faults))
        self.faults = faults


def cell_fault(code: str, column: str, **values: object) -> CellFault:
    """The text of this code about this column."""
    zh, en = TEXTS[code]
    return CellFault(code, column, zh.format(**values), en.format(**values), EXAMPLES.get(code, ""))


class CellProblem(Exception):
    """A cell that cannot be converted: the code of its fault and what fills its text."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

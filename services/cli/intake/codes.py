"""A code in a column of its kind, confirmed by its check digit: which column it stands in proves nothing."""

from __future__ import annotations

from services.cli.intake.faults import CellProblem
from services.kernel import organisation_code, registration_number, resident_id, uscc
from services.kernel.text import narrowed

NAMES = {
    "uscc": "统一社会信用代码",
    "org_code": "组织机构代码",
    "reg_no": "工商注册号",
    "resident_id": "公民身份号码",
}


def kind_by_check_digit(code: str) -> str:
    """What a code is by form and check digit alone: uscc, resident_id, reg_no, org_code, or "" for none of them."""
    if len(code) == 18:
        return "uscc" if uscc.is_valid(code) else "resident_id" if resident_id.is_valid(code) else ""
    if registration_number.FORM.fullmatch(code):
        return "reg_no" if registration_number.is_valid(code) else ""
    return "org_code" if organisation_code.is_valid(code) else ""


def confirmed(kind: str, text: str, subject: str, shape: str) -> str:
    """The code in its machine form; nothing where it only repeats the subject's USCC. Raises `CellProblem`."""
    code = narrowed(text).replace("-", "")
    found = kind_by_check_digit(code)
    if found == kind:
        return code
    if found == "uscc" and code == narrowed(subject):
        return ""  # since 2015 many write it into every column
    if found:
        raise CellProblem("CODES_SWAPPED", wanted=NAMES[kind], found=NAMES[found], shape=shape or "now")
    if kind == "reg_no" and registration_number.is_valid(code):
        return code  # of an older form, which has no check digit
    raise CellProblem("CODE_CHECK_DIGIT", wanted=NAMES[kind])

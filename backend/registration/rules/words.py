"""What is wrong with a row, and what became of it, in the words of whoever mends the table. Pure."""

from __future__ import annotations

import re

from .rows import COLUMNS, Flaw

RESULTS = {
    "good": "可导入",
    "made": "已导入",
    "bad": "有误",
    "phone_taken": "手机号已是会员，未导入",
    "card_invalid": "没有这个卡号，未导入",
    "card_taken": "卡号已被使用，未导入",
    "card_ended": "卡号已作废，未导入",
    "card_type_closed": "该卡种已停用，未导入",
    "card_elsewhere": "卡号在其他门店，未导入",
    "card_quota": "发卡配额已用完，未导入",
}
_WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        ("is missing", "没有填写"),
        (r"is missing \(.*\)", "缺少这一列"),
        ("is no phone number", "不是手机号"),
        ("a member has this phone already", "该手机号已是会员"),
        (r"is in row (\d+) already", r"与第 \1 行重复"),
        ("has more than 40 characters", "超过 40 个字"),
        ("has characters that do not show", "含有看不见的字符"),
        ("is none of 男, 女, 未知", "只能填男、女或未知"),
        ("is no day like .*", "不是日期，应如 2027-12-31"),
        (r"must lie between (\S+) and (\S+)", r"应在 \1 至 \2 之间"),
        ("there is no such store", "没有这个门店"),
        ("there is no such level", "没有这个等级"),
        ("is no card number", "不是卡号"),
        ("names a purpose that there is not", "没有这一项授权"),
        ("the table has no heading", "第一行不是表头"),
        (r"is no whole number from 0 to (\d+)", r"应为 0 至 \1 的整数"),
        ("is for points that there are", "没有积分，不用填有效期"),
        ("is no amount in yuan like .*", "不是金额，应如 500.00"),
        (r"with bonus is more than a member may hold .*", "本金加赠送超过每位会员的储值上限"),
        ("has more cells than the heading", "比表头多出了单元格"),
        ("is no column of this table", "模板里没有这一列"),
        ("is there twice", "这一列出现了两次"),
        ("the table has no rows below its heading", "表头下面没有内容"),
        ("the table could not be read to its end", "表格没有读完，请检查后再传"),
        ("the table is neither .*", "文字编码既不是 UTF-8 也不是 GB 18030"),
        (r"the table has more than (\d+) (rows.*|columns)", r"超过 \1 行或列，请拆分"),
        (r"the table .*", "不是可以读取的 CSV 或 XLSX 表格"),
    )
)
_CLOSED = re.compile(r"cannot be given out: (\w+)")


def column(flaw: Flaw) -> str:
    """The heading of the column that is wrong, as the template has it."""
    return COLUMNS.get(flaw.field, flaw.field)


def text(flaw: Flaw) -> str:
    """What is wrong; a message without words stays as it is."""
    if closed := _CLOSED.fullmatch(flaw.message):
        return result(closed[1]).removesuffix("，未导入")
    for pattern, words in _WORDS:
        if found := pattern.fullmatch(flaw.message):
            return found.expand(words)
    return flaw.message


def result(code: str) -> str:
    """What became of a row; a code without words stays as it is."""
    return RESULTS.get(code, code)

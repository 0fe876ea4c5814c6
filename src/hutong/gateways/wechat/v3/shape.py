"""
What a request must look like, field by field, and how the vendor says that it does not.

A fault names the JSON pointer of the field, its Chinese label and the rule: `输入源“/body/amount/total”映射到数值字段“总金额”规则
校验失败，值低于最小值 1`. Fields that no shape knows are let pass, as the vendor does; null is as good as absent.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from hutong.gateways.wechat.v3.errors import Code, Fault, param_error

_INT_MAX = 2**63 - 1


class Field(Protocol):
    """One field of a request."""

    @property
    def label(self) -> str: ...

    @property
    def required(self) -> bool: ...

    def check(self, pointer: str, value: Any) -> None:
        """Refuses PARAM_ERROR, naming the field."""
        ...


class Text(msgspec.Struct, frozen=True):
    """A string of so many characters."""

    label: str
    length_max: int = 0  # 0: no limit of its own.
    required: bool = False
    length_min: int = 1
    pattern: str = ""
    one_of: tuple[str, ...] = ()

    def check(self, pointer: str, value: Any) -> None:
        if not isinstance(value, str):
            raise _mistyped(pointer, self.label, "字符串", value)
        if "\0" in value:
            raise _text_fault(pointer, self.label, "含有不可见字符", value.replace("\0", ""))
        if len(value) < self.length_min:
            if not value and not self.required:
                return
            if not value:
                raise missing(pointer, self.label)
            raise _text_fault(pointer, self.label, f"字符数 {len(value)}，小于最小值 {self.length_min}", value)
        if self.length_max and len(value) > self.length_max:
            raise _text_fault(pointer, self.label, f"字符数 {len(value)}，大于最大值 {self.length_max}", value)
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise _text_fault(pointer, self.label, f"值不匹配正则表达式 {self.pattern}", value)
        if self.one_of and value not in self.one_of:
            raise _text_fault(pointer, self.label, "值不在枚举范围内", value)


class Number(msgspec.Struct, frozen=True):
    """A whole number between two others."""

    label: str
    required: bool = False
    minimum: int = 0
    maximum: int = _INT_MAX

    def check(self, pointer: str, value: Any) -> None:
        if type(value) is not int or not -_INT_MAX <= value <= _INT_MAX:
            raise _mistyped(pointer, self.label, " 64 位有符号整数", value)
        if value < self.minimum:
            raise _number_fault(pointer, self.label, f"值低于最小值 {self.minimum}", value)
        if value > self.maximum:
            raise _number_fault(pointer, self.label, f"值高于最大值 {self.maximum}", value)


class Flag(msgspec.Struct, frozen=True):
    """True or false."""

    label: str
    required: bool = False

    def check(self, pointer: str, value: Any) -> None:
        if type(value) is not bool:
            raise _mistyped(pointer, self.label, "布尔值", value)


class Group(msgspec.Struct, frozen=True):
    """An object."""

    label: str
    fields: Mapping[str, Field]
    required: bool = False

    def check(self, pointer: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _mistyped(pointer, self.label, "对象", value)
        for name, field in self.fields.items():
            part = value.get(name)
            if part is not None:
                field.check(f"{pointer}/{name}", part)
            elif field.required:
                raise missing(f"{pointer}/{name}", field.label)


class Many(msgspec.Struct, frozen=True):
    """An array."""

    label: str
    item: Field
    count_max: int
    required: bool = False

    def check(self, pointer: str, value: Any) -> None:
        if not isinstance(value, list):
            raise _mistyped(pointer, self.label, "数组", value)
        if self.required and not value:
            raise missing(pointer, self.label)
        if len(value) > self.count_max:
            text = f"输入源“{pointer}”映射到数组字段“{self.label}”规则校验失败，元素个数 {len(value)}，大于最大值 {self.count_max}"
            raise param_error(pointer, "too many items", text)
        for number, item in enumerate(value):
            self.item.check(f"{pointer}/{number}", item)


def read_body(shape: Group, body: bytes) -> dict[str, Any]:
    """
    The JSON object of a body, held to its shape.

    Refuses:  PARAM_ERROR: no JSON, or what the shape does not allow.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Fault(
            Code.PARAM_ERROR, "请求体不是合法的JSON", detail={"location": "body", "value": "", "issue": "invalid json"}
        ) from None
    shape.check("/body", value)
    assert isinstance(value, dict)
    return value


def read_query(shape: Group, query: Mapping[str, str]) -> dict[str, Any]:
    """
    What a query says, held to its shape: numbers become numbers.

    Refuses:  PARAM_ERROR, naming the parameter.
    """
    value: dict[str, Any] = {name: text for name, text in query.items() if text}
    for name, field in shape.fields.items():
        text = value.get(name)
        if isinstance(field, Number) and text is not None and re.fullmatch("-?[0-9]{1,18}", text):
            value[name] = int(text)
        elif isinstance(field, Flag) and text in {"true", "false"}:
            value[name] = text == "true"
    shape.check("/query", value)
    return value


def missing(pointer: str, label: str) -> Fault:
    """A required field that is not there."""
    return param_error(pointer, "required", f"输入源“{pointer}”映射到字段“{label}”必填性规则校验失败，此字段为必填项")


def _mistyped(pointer: str, label: str, expected: str, value: Any) -> Fault:
    text = f"无法将 JSON 输入源“{pointer}”映射到目标字段“{label}”中，此字段需要一个合法的{expected}"
    return param_error(pointer, "type mismatch", text, _shown(value))


def _text_fault(pointer: str, label: str, rule: str, value: str) -> Fault:
    text = f"输入源“{pointer}”映射到值字段“{label}”字符串规则校验失败，{rule}"
    return param_error(pointer, "string rule", text, _shown(value))


def _number_fault(pointer: str, label: str, rule: str, value: int) -> Fault:
    text = f"输入源“{pointer}”映射到数值字段“{label}”规则校验失败，{rule}"
    return param_error(pointer, "number rule", text, value)


def _shown(value: Any) -> Any:
    """What of a value is repeated to who sent it: not a whole body."""
    if isinstance(value, str):
        return value[:128]
    return value if isinstance(value, bool | int) and abs(value) <= _INT_MAX else ""

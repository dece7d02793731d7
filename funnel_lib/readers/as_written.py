"""YAML whose keys are the texts that they look like, and whose numbers remember how they are written: `007`, `1e5`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ruamel.yaml import YAML


class WrittenInt(int):
    """A whole number and how it is written."""

    written: str


class WrittenFloat(float):
    """A number and how it is written."""

    written: str


def reader() -> YAML:
    """YAML 1.2 (`no` is a text, 12:30 too); keeps the lines, refuses a key given twice."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import RoundTripConstructor

    class Constructor(RoundTripConstructor):
        def construct_document(self, node: Any) -> Any:
            _keys_are_texts(node, set())
            return super().construct_document(node)

    def number(kind: type, construct: Any) -> Any:
        def constructed(self: Any, node: Any) -> Any:
            value = kind(construct(self, node))
            value.written = node.value
            return value
        return constructed

    Constructor.add_constructor("tag:yaml.org,2002:int", number(WrittenInt, RoundTripConstructor.construct_yaml_int))
    Constructor.add_constructor("tag:yaml.org,2002:float", number(WrittenFloat, RoundTripConstructor.construct_yaml_float))
    yaml = YAML(typ="rt")
    yaml.Constructor = Constructor
    return yaml


def _keys_are_texts(node: Any, seen: set[int]) -> None:
    """Scalar keys of all mappings below this node become texts; a node may be met again by an alias."""
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
            _keys_are_texts(value, seen)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            _keys_are_texts(value, seen)

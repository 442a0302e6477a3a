#!/usr/bin/env python3
"""Prints random schemas and instances with the verdicts of the Python library `jsonschema`, in the form of the official
suite. The same ones each time. Run by `fetch_suite.py` in an environment that has the library.

References lead forward within `$defs` or into a smaller part of the instance, so that all of them end.
"""

import json
import random

from jsonschema import Draft202012Validator

GROUPS, TESTS = 4000, 8
NAMES = ["a", "b", "ab", "c", "x~y", "d/e"]
PATTERNS = ["^a", "b$", "^[a-c]+$", "a|x", "^.{1,2}$", "^\\d+$", "é"]
SCALARS = [None, True, False, 0, 1, 2, 3, -1, 1.0, 0.5, 2.5, 100, "", "a", "b", "ab", "abc", "12", "é", "😀a"]
DEFINITIONS = ["p", "q", "r"]


class Maker:
    """One schema with its instances."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self, choices, least: int, most: int) -> list:
        return self.random.sample(choices, self.random.randint(least, most))

    def value(self, depth: int):
        kind = self.random.random()
        if depth == 0 or kind < 0.4:
            return self.random.choice(SCALARS)
        if kind < 0.65:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 4))]
        return {name: self.value(depth - 1) for name in self.some(NAMES, 0, 4)}

    def schemas(self, depth: int, level: int) -> list:
        return [self.schema(depth, level) for _ in range(self.random.randint(1, 3))]

    def count(self) -> int:
        return self.random.randint(0, 3)

    def keyword(self, depth: int, level: int) -> dict:
        """One keyword, sometimes with those that it goes together with. `level` is the first definition that may be
        referred to from here; inside of the instance all may be."""
        pick = self.random.choice
        inside = lambda: self.schema(depth - 1, 0)
        beside = lambda: self.schema(depth - 1, level)
        types = ["null", "boolean", "integer", "number", "string", "array", "object"]
        plain = [
            lambda: {"type": pick(types)},
            lambda: {"type": self.some(types, 1, 4)},
            lambda: {"enum": [self.value(1) for _ in range(3)]},
            lambda: {"const": self.value(1)},
            lambda: {pick(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]): pick([0, 1, 2.0, 0.5, -1])},
            lambda: {"multipleOf": pick([1, 2, 0.5, 1.5, 0.01])},
            lambda: {pick(["minLength", "maxLength", "minItems", "maxItems"]): self.count()},
            lambda: {pick(["minProperties", "maxProperties"]): self.count()},
            lambda: {"pattern": pick(PATTERNS)},
            lambda: {"uniqueItems": pick([True, True, False])},
            lambda: {"required": self.some(NAMES, 0, 2)},
            lambda: {"dependentRequired": {name: self.some(NAMES, 0, 2) for name in self.some(NAMES, 1, 2)}},
        ]
        nested = [
            lambda: {"properties": {name: inside() for name in self.some(NAMES, 1, 3)}},
            lambda: {"patternProperties": {pattern: inside() for pattern in self.some(PATTERNS, 1, 2)}},
            lambda: {pick(["additionalProperties", "unevaluatedProperties"]): pick([False, inside()])},
            lambda: {"propertyNames": inside()},
            lambda: {"prefixItems": self.schemas(depth - 1, 0)},
            lambda: {"items": inside()},
            lambda: {"unevaluatedItems": pick([False, inside()])},
            lambda: {"contains": inside(), **pick([{}, {"minContains": self.count()}, {"maxContains": self.count()}])},
            lambda: {pick(["allOf", "anyOf", "oneOf"]): self.schemas(depth - 1, level)},
            lambda: {"not": beside()},
            lambda: {"if": beside(), **pick([{}, {"then": beside()}]), **pick([{}, {"else": beside()}])},
            lambda: {"dependentSchemas": {name: beside() for name in self.some(NAMES, 1, 2)}},
        ]
        if level < len(DEFINITIONS):
            nested.append(lambda: {"$ref": "#/$defs/" + pick(DEFINITIONS[level:])})
        return pick(plain if depth == 0 or self.random.random() < 0.35 else nested)()

    def schema(self, depth: int, level: int):
        if self.random.random() < 0.08:
            return self.random.choice([True, False])
        made = {}
        for _ in range(self.random.randint(1, 3)):
            made.update(self.keyword(depth, level))
        return made

    def group(self) -> dict:
        schema = self.schema(3, 0)
        if schema in (True, False):
            schema = {"allOf": [schema]}
        schema["$defs"] = {name: self.schema(2, index + 1) for index, name in enumerate(DEFINITIONS)}
        validator = Draft202012Validator(schema)
        instances = [self.value(3) for _ in range(TESTS)]
        tests = [{"description": "", "data": data, "valid": validator.is_valid(data)} for data in instances]
        return {"description": "", "schema": schema, "tests": tests}


if __name__ == "__main__":
    print(json.dumps([Maker(seed).group() for seed in range(GROUPS)], ensure_ascii=False))

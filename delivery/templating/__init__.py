"""Queries as Flagger's users write them: Go's text/template, as much of it as queries need.

Known are text, comments, trim markers, strings, numbers, pipes, brackets, fields, variables,
`if`, `with`, `range`, and the functions of `functions.BUILT_IN`. Not known are `define`,
`template`, `block`, `break`, `continue`, methods, and the functions that make HTML or JavaScript:
who uses them is told so by name. Whatever is missing is an error, never an empty text.
"""

from delivery.templating.errors import TemplateError
from delivery.templating.rendering import render
from delivery.templating.syntax import Template, parse

__all__ = ["Template", "TemplateError", "parse", "render"]

"""What is wrong with a template, or with what it was given."""


class TemplateError(ValueError):
    """The message names the place and what would be right."""


TOO_DEEP = "brackets or blocks stand too deep in each other; write it flat"

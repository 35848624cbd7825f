"""Scripts and style sheets without their comments and margins, which are half of what a phone would fetch.

Lines stay where they are, so what a browser says of line 40 is line 40 of the repository.
"""

import re

# What holds no comment comes first: strings, templates, regular expressions after what cannot end a value.
SCRIPT = re.compile(
    r"""
    (?P<kept> '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" | `(?:\\.|[^`\\])*`
      | (?<=[(,=:\[!&|?{};])\ ?/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/ )
    | [ \t]*/\*.*?\*/ | [ \t]*//[^\n]*
    """,
    re.VERBOSE | re.DOTALL,
)
STYLE = re.compile(r"""(?P<kept>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|[ \t]*/\*.*?\*/""", re.DOTALL)
MARGINS = re.compile(
    r"""(?P<kept>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|(?<=\n)[ \t]+|[ \t]+(?=\n)""", re.DOTALL
)
LICENCE = re.compile(r"\s*/\*!")


def without_comments(source: str, tokens: re.Pattern[str] = SCRIPT) -> str:
    """``source`` of a script, or with ``STYLE`` of a style sheet; of each comment its line breaks remain, of each line
    neither the blanks before it nor those behind it.

    ``/*! … */`` stays, as licences are written. Templates may hold no other template within ``${}``.
    """

    def bare(match: re.Match[str]) -> str:
        if match["kept"] is not None or LICENCE.match(match[0]):
            return match[0]
        return "\n" * match[0].count("\n")

    return MARGINS.sub(lambda match: match["kept"] or "", tokens.sub(bare, source))

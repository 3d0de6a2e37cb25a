"""What modules declare, read from their text: the names of commands, and the first line of the help of each.

A list of commands needs no more, and importing dozens of modules for it would take longer than anybody waits for help.
"""

import importlib.util
import re
from pathlib import Path

DECLARATION = re.compile(r'^@(?:action|figure_action|component)\(\s*"([^"]+)"', re.MULTILINE)
CALL = re.compile(r"^(?!def |class )[^\n#\"]*\b(?:action|figure_action|component)\(", re.MULTILINE)
HELP = re.compile(r'"""\s*([^\n]*?)\s*(?:"""|\n)')


def declared(module: str) -> dict[str, str] | None:
    """Return what a module declares, without importing it.

    Args:
        module: Its name.

    Returns:
        By the words of each command, the first line of its help; None when the text does not tell, as where a decorator
        is called with a name that is computed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    text = Path(spec.origin).read_text(encoding="utf-8")
    found = {}
    for match in DECLARATION.finditer(text):
        help = HELP.search(text, match.end())
        if help is None:
            return None
        found[match[1]] = help[1]
    return found if found and len(found) == len(CALL.findall(text)) else None

"""Are README's snippets for applications those of the scenarios?

In a scenario a snippet stands between the comments `readme: NAME` and `end`; in README it is a fenced block, and the
same but for the indentation. Blocks of SQL are run by regress/run.sh.
"""

import re
import sys
import textwrap
from pathlib import Path

DRIVERS = Path(__file__).parent
README = DRIVERS.parent.parent / "README.md"
MARKED = re.compile(r"^[ \t]*(?:#|//) readme: (.+)\n((?:.*\n)*?)[ \t]*(?:#|//) end$", re.MULTILINE)
FENCED = re.compile(r"^```(?!sql|text)\w+\n((?:.*\n)*?)```$", re.MULTILINE)


def scenarios():
    """Snippets by their names."""
    found = {}
    for path in sorted(DRIVERS.glob("*/[Ssm]*.*")):
        for name, snippet in MARKED.findall(path.read_text()):
            found[name] = textwrap.dedent(snippet)
    return found


def section():
    text = README.read_text()
    start = text.index("\n### For the application developer\n")
    return text[start : text.index("\n## ", start)]


run = scenarios()
shown = FENCED.findall(section())
wrong = [f"a scenario's snippet is not in README: {name}" for name, snippet in run.items() if snippet not in shown]
wrong += [f"README shows what no scenario runs:\n{snippet}" for snippet in shown if snippet not in run.values()]
if not run:
    wrong.append("no snippet is marked in any scenario")
sys.exit("\n".join(wrong) or 0)

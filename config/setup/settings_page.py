"""`python -m config.setup.settings_page [--check]`: docs/settings.md, made from the list that the code reads."""

from __future__ import annotations

import sys

from config.env import ROOT
from config.options import GROUPS, Option
from config.setup.console import say

PAGE = ROOT / "docs" / "settings.md"
HEAD = """# Settings

Everything that differs between installations comes from the environment. A missing one that is needed, or one that
cannot be, ends the process with one line that names it. `make docs` makes this page from `config/options.py`.

**Read by** says whose environment a setting belongs to: give a process these, and no others. The agents, above
all, need neither the database nor the console's secret. *make* is `make demo` and `make start`, *carrier* the
demo's simulated phones.
"""
TABLE = "| setting | what it is | type | default | read by |\n|---|---|---|---|---|"


def main() -> None:
    made = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made)
    elif not PAGE.exists() or PAGE.read_text() != made:
        raise SystemExit("Patchbay: docs/settings.md is not what config/options.py says. Run `make docs`.")
    say(f"{PAGE.relative_to(ROOT)} is as the code has it.")


def page() -> str:
    parts = [HEAD]
    for group, options in GROUPS.items():
        parts.append("\n".join((f"## {group}\n", TABLE, *map(row, options))) + "\n")
    return "\n".join(parts)


def row(option: Option) -> str:
    """One line of the table."""
    default = option.otherwise or (f"`{option.default}`" if option.default else "–")
    if option.required:
        default = f"**needed**; {option.otherwise}"
    readers = ", ".join(sorted(process.value for process in option.read_by))
    return f"| `{option.name}` | {option.means} | {option.kind} | {default} | {readers} |"


if __name__ == "__main__":
    main()

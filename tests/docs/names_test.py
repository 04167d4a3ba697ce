"""docs/upstream.md and docs/bug-classes.md name only tests, planted bugs and files that exist."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tests_of_the_project():
    names = set()
    for file in (ROOT / "tests").rglob("*.cpp"):
        for suite, name in re.findall(r"^(?:TEST|TEST_F|TEST_P)\((\w+),\s*(\w+)\)", file.read_text(), re.M):
            names.add(f"{suite}.{name}")
    return names


def mutants_of_the_project():
    names = set()
    for file in (ROOT / "tests/mutants").glob("*.yaml"):
        for name in re.findall(r"^  - name: (\w+)", file.read_text(), re.M):
            names.add(f"{file.stem}:{name}")
    plants = (ROOT / "harness/selftest/plants.cpp").read_text()
    for name in re.findall(r"PlantKind::\w+,\s*\"(\w+)\"", plants):
        names.add(f"timed:{name}")
    return names


def missing(text, tests, mutants):
    """What stands in backquotes in the last column of a table and is not there."""
    absent, seen = [], 0
    for line in text.splitlines():
        if not line.startswith("| ") or line.startswith(("| requirement", "| # |", "|---")):
            continue
        shown_by = line.rstrip(" |").split("|")[-1]
        for name in re.findall(r"`([^`]+)`", shown_by):
            if re.fullmatch(r"[A-Z]\w+\.[A-Z]\w+", name):
                known = name in tests
            elif re.fullmatch(r"\w+:\w+", name):
                known = name in mutants
            elif name.startswith("tests/"):
                known = (ROOT / name).exists()
            else:
                continue
            seen += 1
            if not known:
                absent.append(name)
    return absent, seen


def main():
    tests, mutants = tests_of_the_project(), mutants_of_the_project()
    # The check itself: a name of nothing is found.
    planted, _ = missing("| a | b | `Nothing.AtAll`, `nothing:at_all` |", tests, mutants)
    if planted != ["Nothing.AtAll", "nothing:at_all"]:
        print(f"planted names were not found: {planted}")
        return 1
    failed = False
    for page, fewest in (("docs/upstream.md", 40), ("docs/bug-classes.md", 90)):
        absent, seen = missing((ROOT / page).read_text(), tests, mutants)
        for name in absent:
            print(f"{page} names {name}, which is not there")
        print(f"{page}: {seen} names, {len(absent)} of them not there")
        failed |= bool(absent) or seen < fewest
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

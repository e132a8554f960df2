"""Reads a window as a screen reader does (AT-SPI): run by the system's Python, one JSON object a line.

``{"do": "find", "pid": 12, "name": "Sign in", "role": "push button"}`` answers ``{"ok": [node, …]}``; a
node has name, role, description, text, box (x, y, width, height on the screen) and its states. Standard
library and pyatspi alone, since this does not run in the product's environment.
"""

import json
import sys

import pyatspi  # type: ignore[import-not-found]  # the system's own package, see dev.py
from gi.repository import GLib  # type: ignore[import-not-found]  # comes with pyatspi

TELLING = {
    pyatspi.STATE_SHOWING: "showing",
    pyatspi.STATE_ENABLED: "enabled",
    pyatspi.STATE_FOCUSED: "focused",
    pyatspi.STATE_CHECKED: "checked",
    pyatspi.STATE_SELECTED: "selected",
    pyatspi.STATE_EDITABLE: "editable",
}
DEEPEST = 40
MOST_CELLS = 400


def application(pid):
    """The accessible root of a process; None before it has one."""
    for app in pyatspi.Registry.getDesktop(0):
        if app is not None and app.get_process_id() == pid:
            return app
    return None


def walk(node, depth=0):
    """Every showing node below, depth first; what cannot be seen is not gone into."""
    for number in range(node.childCount):
        child = node.getChildAtIndex(number)
        if child is None:
            continue
        if depth == 0 or child.getState().contains(pyatspi.STATE_SHOWING):
            yield child
            if depth < DEEPEST and child.getRole() != pyatspi.ROLE_TABLE:
                yield from walk(child, depth + 1)


def told(node):
    """A node as facts."""
    states = node.getState()
    try:
        box = node.queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
        place = [box.x, box.y, box.width, box.height]
    except NotImplementedError:
        place = [0, 0, 0, 0]
    try:
        text = node.queryText().getText(0, -1)
    except NotImplementedError:
        text = ""
    return {
        "name": node.name,
        "role": node.getRoleName(),
        "description": node.description,
        "text": text,
        "box": place,
        "states": [word for state, word in TELLING.items() if states.contains(state)],
    }


def find(pid, name="", role="", begins=False, first=True):
    """Nodes by accessible name (whole, or its beginning) and role."""
    found = []
    root = application(pid)
    for node in walk(root) if root is not None else ():
        called = node.name or ""
        if (called.startswith(name) if begins else called == name) and role in ("", node.getRoleName()):
            found.append(told(node))
            if first:
                break
    return found


def tree(pid):
    """Everything that shows."""
    root = application(pid)
    return [told(node) for node in walk(root)] if root is not None else []


def table(pid, name):
    """The rows of a table: each cell's words and box."""
    root = application(pid)
    for node in walk(root) if root is not None else ():
        if node.getRole() == pyatspi.ROLE_TABLE and node.name == name:
            grid = node.queryTable()
            columns = grid.nColumns
            rows = min(grid.nRows, MOST_CELLS // max(1, columns))
            return [[told(grid.getAccessibleAt(r, c)) for c in range(columns)] for r in range(rows)]
    return None


COMMANDS = {"find": find, "tree": tree, "table": table}


def main():
    """Obey standard input until it ends."""
    print("READY {}", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"ok": COMMANDS[asked.pop("do")](**asked)}
        except (GLib.GError, LookupError, AttributeError, RuntimeError) as gone:
            # a node that vanished while it was read: whoever asks, asks again
            answer = {"error": f"{type(gone).__name__}: {gone}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

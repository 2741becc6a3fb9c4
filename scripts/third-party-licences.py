#!/usr/bin/env python3
"""Reads `cargo metadata`, and prints the packages that the extension's library contains, with the texts of their licences."""
import json
import pathlib
import sys

metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}


def linked(root):
    """What ends up in the library: dependencies of dependencies, but not those of build scripts and tests."""
    found, waiting = set(), [root]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    return [packages[package] for package in found if packages[package]["source"]]


def texts(package):
    """The files in which a package states its licence."""
    folder = pathlib.Path(package["manifest_path"]).parent
    names = ("LICEN", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.upper().startswith(names))


users = {}
chosen = sorted(linked(metadata["resolve"]["root"]), key=lambda package: (package["name"], package["version"]))
print("Rust packages in the library of token_vault, with their licences; the texts follow.\n")
for package in chosen:
    title = f"{package['name']} {package['version']}"
    print(f"{title}: {package['license'] or 'see its text'}")
    for path in texts(package):
        users.setdefault(path.read_text(errors="replace").strip(), []).append(f"{title} ({path.name})")
for text, titles in users.items():
    print("\n" + "=" * 78 + "\n" + "\n".join(titles) + "\n" + "-" * 78 + f"\n{text}")

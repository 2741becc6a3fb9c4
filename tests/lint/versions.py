#!/usr/bin/env python3
"""META.json is what PGXN's Meta Spec 1.0.0 wants, and every file that states the version states the same."""
import json
import pathlib
import re
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-?[A-Za-z][0-9A-Za-z-]*)?")
# A name of the spec: at least two characters, no control characters, slashes or white space at its ends.
TERM = re.compile(r"[^\s/\\\x00-\x1f]{2,}")
PHASES = {"configure", "build", "test", "runtime", "develop"}
RELATIONS = {"requires", "recommends", "suggests", "conflicts"}
KEYS = {"name", "abstract", "description", "version", "maintainer", "license", "release_status", "provides", "prereqs", "tags",
        "resources", "generated_by", "no_index", "meta-spec"}


def text(path):
    return (ROOT / path).read_text()


def check(condition, complaint):
    if not condition:
        raise SystemExit(f"versions: {complaint}")


def check_meta(meta):
    """What the spec requires, for the keys that are used here."""
    for key in ("name", "abstract", "version", "maintainer", "license", "provides", "meta-spec"):
        check(meta.get(key), f"META.json has no {key}")
    unknown = {key for key in meta if key not in KEYS and not key.lower().startswith("x_")}
    check(not unknown, f"META.json has unknown keys: {unknown}")
    check(TERM.fullmatch(meta["name"]), "META.json: name is no term")
    check(meta["license"] == "postgresql", "META.json: license")
    check(meta.get("release_status", "stable") in ("stable", "testing", "unstable"), "META.json: release_status")
    check(meta["meta-spec"].get("version") == "1.0.0", "META.json: meta-spec")
    for name, extension in meta["provides"].items():
        check(TERM.fullmatch(name) and SEMVER.fullmatch(extension["version"]), f"META.json: provides {name}")
        for key in ("file", "docfile"):
            check((ROOT / extension[key]).is_file(), f"META.json: {name} has no {extension[key]}")
    for phase, relations in meta.get("prereqs", {}).items():
        check(phase in PHASES and set(relations) <= RELATIONS, f"META.json: prereqs of {phase}")
        for wanted in relations.values():
            check(all(SEMVER.fullmatch(version) for version in wanted.values()), f"META.json: prereqs of {phase}")
    check(all(tag and len(tag) < 256 and not re.search(r"[/\\\x00-\x1f]", tag) for tag in meta.get("tags", [])), "META.json: tags")


def changelog_version():
    """The newest section's: its heading, or as long as it is unreleased what it is to become."""
    section = re.search(r"^## \[(.+?)\](.*?)(?=^## \[|\Z)", text("CHANGELOG.md"), re.MULTILINE | re.DOTALL)
    if section[1] != "Unreleased":
        return section[1]
    becomes = re.search(r"^To become ([\w.-]+),", section[2], re.MULTILINE)
    check(becomes, "CHANGELOG.md does not say what Unreleased is to become")
    return becomes[1]


meta = json.loads(text("META.json"))
check_meta(meta)
version = tomllib.loads(text("Cargo.toml"))["workspace"]["package"]["version"]
check(SEMVER.fullmatch(version), f"Cargo.toml: {version} is no version")
stated = {
    "META.json": meta["version"],
    "META.json, provides": meta["provides"]["token_vault"]["version"],
    "CHANGELOG.md": changelog_version(),
}
for place, other in stated.items():
    check(other == version, f"Cargo.toml has version {version}, {place} {other}")
# The image and hosted CI build with the same toolchain and, unless told otherwise, for the same server.
toolchain = tomllib.loads(text("Cargo.toml"))["workspace"]["package"]["rust-version"]
major = tomllib.loads(text("Cargo.toml"))["features"]["default"][0].removeprefix("pg")
check(f"ARG PG={major}\nARG RUST={toolchain}\n" in text("Dockerfile"), "Dockerfile has another server or toolchain than Cargo.toml")
images = set(re.findall(r"rust:([\d.]+)-", text(".github/workflows/ci.yml")))
check(images == {toolchain}, f"ci.yml has the toolchains {images}, Cargo.toml {toolchain}")
# pgrx writes Cargo.toml's version there.
check("default_version = '@CARGO_VERSION@'" in text("token_vault.control"), "token_vault.control states a version of its own")

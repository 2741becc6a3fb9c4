#!/usr/bin/env python3
"""Writes sql/catalogue.sql, the built-in rows of vault.provider, from catalogue/providers.csv and catalogue/quirks.json.

    scripts/catalogue.py            write it
    scripts/catalogue.py --check    status 1 where it is not what would be written

The CSV says what is the same kind of fact for every provider. What it has only as prose, quirks.json says in the
columns of vault.provider; a column there replaces what the CSV implies. See catalogue/README.md.
"""

import csv
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROVIDERS = ROOT / "catalogue/providers.csv"
QUIRKS = ROOT / "catalogue/quirks.json"
TABLE = ROOT / "sql/provider.sql"
CATALOGUE = ROOT / "sql/catalogue.sql"

SEPARATORS = {"space": " ", "comma": ",", "plus": "+"}
DAYS = {"day": 1, "month": 30, "year": 365}
# Values that every template has, see src/core/oauth/template.rs.
STANDARD_VALUES = {"client_id", "client_secret", "refresh_token", "access_token", "scope"}
ENDPOINTS = ["authorization_endpoint", "token_endpoint", "refresh_endpoint", "revocation_endpoint",
             "introspection_endpoint", "device_authorization_endpoint", "userinfo_endpoint"]
TEMPLATES = ENDPOINTS + ["authorization_parameters", "token_parameters", "refresh_parameters",
                         "refresh_query_parameters", "request_headers", "revocation_parameters",
                         "basic_username", "basic_password"]


def table_columns():
    """The columns of vault.provider: name to type."""
    found = re.findall(r"^    (\w+) +(text\[\]|text|jsonb|boolean|bigint|integer)[ ,]", TABLE.read_text(), re.MULTILINE)
    return dict(found)


def parameters(text):
    """`k=v&k=v`, unencoded."""
    return dict(pair.split("=", 1) for pair in text.split("&")) if text else {}


def lifetimes(text, rotates):
    """The prose about a refresh token's life: what it bears of disuse, and when the grant ends regardless, in seconds.

    A plain "90 days" of a refresh token that is never replaced counts from the consent, else from the last use.
    """
    disuse = absolute = None
    for clause in re.sub(r" ?\([^)]*\)", "", text).split(";"):
        clause = clause.strip()
        life = re.fullmatch(r"(\d+) (day|month|year)s?,?(.*)", clause)
        kind = life and life[3].strip()
        seconds = life and int(life[1]) * DAYS[life[2]] * 86400
        if life and kind in ("idle", "rolling", "extended by use", "with continuous refresh"):
            disuse = seconds
        elif life and kind in ("absolute", "from first issue"):
            absolute = seconds
        elif life and kind in ("", "or one use") and rotates == "no":
            absolute = seconds
        elif life and kind in ("", "or one use"):
            disuse = seconds
        elif not re.search(r"^$|^does not expire|until (revoked|used)|^20 per user|older mode$|in Testing$", clause):
            sys.exit(f"scripts/catalogue.py: cannot read the lifetime \"{clause}\"")
    return disuse, absolute


def refresh_credential(grant_types):
    if "refresh_token" in grant_types:
        return "refresh_token"
    return "client_credentials" if grant_types == ["client_credentials"] else "none"


def token_place(pointer):
    """Where the object with the token is, and under which name it has the token."""
    place, _, name = pointer.rpartition("/")
    columns = {}
    if place:
        columns["response_objects"] = [place]
    if name not in ("", "access_token"):
        columns["response_fields"] = {"access_token": "/" + name}
    return columns


def from_csv(line):
    """What a line of the CSV means for the columns of vault.provider."""
    grant_types = line["grant_types"].split()
    disuse, absolute = lifetimes(line["refresh_token_lifetime"], line["rotates_refresh_token"])
    columns = {column: line[column] for column in ["name", "display_name", "issuer", *ENDPOINTS]}
    columns |= {
        "grant_types": grant_types,
        "pkce": line["pkce"],
        "scope_separator": SEPARATORS[line["scope_separator"]],
        "authorization_parameters": parameters(line["extra_authorize_params"]),
        "token_parameters": parameters(line["extra_token_params"]),
        "placeholders": line["placeholders"].split(),
        "token_endpoint_auth_method": line["token_endpoint_auth_method"],
        "token_request_format": line["token_request_format"],
        "default_expires_in": int(line["default_expires_in_seconds"] or 0),
        "rotates_refresh_token": line["rotates_refresh_token"],
        "refresh_token_lifetime": disuse,
        "grant_lifetime": absolute,
        "notes": line["notes"],
    }
    columns |= token_place(line["access_token_path"])
    return {column: value for column, value in columns.items() if value}


def placeholders(row):
    """Names of all placeholders in the row, those of the CSV first."""
    texts = json.dumps([row.get(column) for column in TEMPLATES])
    named = [name for name in re.findall(r"\{(\w+)\??\}", texts) if name not in STANDARD_VALUES]
    return list(dict.fromkeys(row.get("placeholders", []) + named))


def rows():
    with PROVIDERS.open(newline="") as file:
        lines = list(csv.DictReader(file))
    quirks = json.loads(QUIRKS.read_text())
    known = table_columns()
    unknown = set(quirks) - {line["name"] for line in lines}
    if unknown or list(quirks) != sorted(quirks):
        sys.exit(f"scripts/catalogue.py: quirks of unknown providers, or not in order: {sorted(unknown)}")
    result = []
    for line in lines:
        row = from_csv(line) | quirks.get(line["name"], {})
        row.pop("why", None)
        row.setdefault("refresh_credential", refresh_credential(row["grant_types"]))
        if named := placeholders(row):
            row["placeholders"] = named
        if strange := set(row) - set(known):
            sys.exit(f"scripts/catalogue.py: vault.provider has no {sorted(strange)}")
        result.append({column: row[column] for column in known if column in row})
    return sorted(result, key=lambda row: row["name"])


def literal(value, sql_type):
    if sql_type == "boolean":
        return "true" if value else "false"
    if sql_type in ("bigint", "integer"):
        return str(value)
    if sql_type == "jsonb":
        value = json.dumps(value, ensure_ascii=False)
    elif sql_type == "text[]":
        value = "{" + ",".join(json.dumps(item, ensure_ascii=False) for item in value) + "}"
    return "'" + value.replace("'", "''") + "'"


def statement(row, types):
    row = {"name": row["name"], "builtin": True, **row}
    values = [literal(value, types[column]) for column, value in row.items()]
    return (f"INSERT INTO vault.provider (\n    {', '.join(row)})\n"
            "VALUES (\n    " + ",\n    ".join(values) + ");\n")


def render():
    types = table_columns()
    header = ("-- Built-in providers. Made by scripts/catalogue.py from catalogue/: change it there, not here.\n"
              "-- A column that a statement does not name has its default.\n\n")
    return header + "\n".join(statement(row, types) for row in rows())


def main():
    text = render()
    if sys.argv[1:] == ["--check"]:
        if CATALOGUE.read_text() != text:
            sys.exit("sql/catalogue.sql is not what catalogue/ says: run scripts/catalogue.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        CATALOGUE.write_text(text)


if __name__ == "__main__":
    main()

"""What the scenarios in Python have in common: expectations, and where the server is."""

import os
import sys

# As in every throwaway cluster: a socket without a password.
CONNINFO = f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} dbname={os.environ['PGDATABASE']} user=app_role"


def fail(what):
    sys.exit(f"FAILED: {what}")


def expect(what, actual, wanted):
    if actual != wanted:
        fail(f"{what}: got {actual!r}, expected {wanted!r}")


def expect_envelope(what, value):
    if not isinstance(value, str) or not value.startswith("tv1."):
        fail(f"{what}: got {value!r}, expected an envelope")


def many_users(user):
    """Subjects for get_tokens: one with a token, one without, and that of scenario.sql whose token can't be had."""
    return [user, "nobody", "expired"]


def expect_many(what, rows, user, token):
    """Subject, access token and error code of each of many_users, in their order."""
    expect(what, [tuple(row) for row in rows], [(user, token, None), ("nobody", None, None), ("expired", None, "TV030")])


# What goes wrong in every scenario, and the SQLSTATE it must be told with.
WRONG = {
    "TV020": "SELECT vault.get_token('no such provider', 'alice')",
    "TV035": "SELECT vault.refresh_token('google', 'nobody')",
    "42501": "SELECT * FROM vault.export_token_set('google', 'alice')",
}

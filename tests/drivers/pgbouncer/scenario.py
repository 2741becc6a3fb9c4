"""psycopg 3 behind pgbouncer in transaction mode: what belongs to a session must be said in each transaction."""

import os

import psycopg

from expect import CONNINFO, WRONG, expect, expect_many, many_users

TOKEN = "example-access-token-pgbouncer"
POOLER = CONNINFO.replace(f"port={os.environ['PGPORT']}", f"port={os.environ['POOLER_PORT']}")


def tokens(connection):
    connection.execute("SELECT vault.store_token('google', 'user of pgbouncer', %s)", (TOKEN,))
    for _ in range(10):
        row = connection.execute("SELECT vault.get_token('google', %s)", ("user of pgbouncer",)).fetchone()
        expect("get_token", row[0], TOKEN)
    get = "SELECT subject, access_token, error_code FROM vault.get_tokens('google', %s)"
    users = many_users("user of pgbouncer")
    expect_many("get_tokens", connection.execute(get, (users,)), users[0], TOKEN)


def tenants(connection, tenant, user):
    connection.execute("SELECT vault.store_token('google', %s, %s, tenant => %s)", (user, TOKEN, tenant))
    # readme: pgbouncer
    with connection.transaction():
        connection.execute("SELECT set_config('token_vault.tenant', %s, true)", (tenant,))  # as SET LOCAL
        row = connection.execute("SELECT vault.get_token('google', %s)", (user,)).fetchone()
    # end
    expect("get_token of a tenant", row[0], TOKEN)
    row = connection.execute("SELECT vault.has_token('google', %s)", (user,)).fetchone()
    expect("the next transaction is bound to the tenant", row[0], False)


def columns(connection):
    connection.execute("INSERT INTO webhook VALUES (%s, %s)", ("pgbouncer", "whsec_pgbouncer"))
    row = connection.execute("SELECT vault.reveal(signing_key) FROM webhook WHERE id = 'pgbouncer'").fetchone()
    expect("an encrypted column", row[0], "whsec_pgbouncer")


def errors(connection):
    for wanted, statement in WRONG.items():
        state = None
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            state = error.sqlstate
        expect(statement, state, wanted)


def pipeline(connection):
    with connection.pipeline():
        cursors = [connection.execute("SELECT vault.get_token('google', 'user of pgbouncer')") for _ in range(10)]
        expect("a pipeline", [cursor.fetchone()[0] for cursor in cursors], [TOKEN] * 10)


# Prepared statements need pgbouncer 1.21 or newer.
clients = [psycopg.connect(POOLER, autocommit=True, prepare_threshold=None) for _ in range(5)]
tokens(clients[0])
tenants(clients[1], "tenant of pgbouncer", "user of a tenant")
columns(clients[2])
pipeline(clients[3])
# The connections that errors were told on go on to the next client.
errors(clients[4])
tokens(clients[1])
for client in clients:
    client.close()

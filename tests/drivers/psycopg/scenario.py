"""psycopg 3: results as text and binary, parameters of every format, prepared statements, COPY, pipelines, events."""

import json
import logging

import psycopg

from expect import CONNINFO, WRONG, expect, expect_envelope, expect_many, many_users

USER = "user of psycopg"
TOKEN = "example-access-token-psycopg"


def tokens(connection, binary):
    cursor = connection.cursor(binary=binary)
    store = "SELECT vault.store_token('google', %s, access_token => %s, expires_in => %s)"
    cursor.execute(store, (USER, TOKEN, 3600))
    cursor.execute("SELECT vault.get_token('google', %s)", (USER,))
    expect("get_token", cursor.fetchone()[0], TOKEN)
    cursor.execute("SELECT vault.get_token('google', 'nobody')")
    expect("get_token of an unknown subject", cursor.fetchone()[0], None)
    cursor.execute("SELECT access_token, expires_at > now() FROM vault.get_token_set('google', %s)", (USER,))
    expect("get_token_set", cursor.fetchone(), (TOKEN, True))
    for array in ("%s", "%t", "%b"):
        get = f"SELECT subject, access_token, error_code FROM vault.get_tokens('google', {array})"
        expect_many(f"get_tokens with {array}", cursor.execute(get, (many_users(USER),)), USER, TOKEN)


def provider_answer(user_id, token_response, ip_address):
    # readme: store the answer
    import psycopg
    from psycopg.types.json import Jsonb

    with psycopg.connect("dbname=app user=app_role") as connection:
        connection.execute(
            "SELECT vault.store_token_response('google', %s, %s, metadata => %s)",
            (user_id, Jsonb(token_response), Jsonb({"ip_address": ip_address})),
        )
    # end


def newest(connection, user_id):
    # readme: get the token
    row = connection.execute("SELECT vault.get_token('google', %s)", (user_id,)).fetchone()
    access_token = row[0]  # None: this user has not connected an account
    # end
    expect("get_token of an answer", access_token, TOKEN)


def readme(connection, user, name, signing_key):
    # readme: psycopg 3
    connection.execute("INSERT INTO webhook VALUES (%s, %s)", (name, signing_key))
    row = connection.execute("SELECT vault.reveal(signing_key) FROM webhook WHERE id = %s", (name,)).fetchone()
    try:
        token = connection.execute("SELECT vault.get_token('google', %s)", (user,)).fetchone()[0]
    except psycopg.Error as error:
        token, state = None, error.sqlstate  # TV031: the user must authorize again
    # end
    expect("an encrypted column", row[0], signing_key)
    expect("get_token", token, TOKEN)


def columns(connection):
    for placeholder in ("%s", "%t", "%b"):
        name = f"psycopg {placeholder}"
        insert = f"INSERT INTO webhook VALUES (%s, {placeholder})"
        connection.execute(insert, (name, f"whsec_{name}"))
        reveal = "SELECT vault.reveal(signing_key) FROM webhook WHERE id = %s"
        expect(f"a parameter as {placeholder}", connection.execute(reveal, (name,)).fetchone()[0], f"whsec_{name}")
        select = "SELECT signing_key FROM webhook WHERE id = %s"
        expect_envelope("the column itself", connection.execute(select, (name,)).fetchone()[0])
        # The binary form is the envelope's bytes.
        raw = connection.execute(select, (name,), binary=True).fetchone()[0]
        expect("the column itself in binary", type(raw), bytes)


def copy(connection):
    with connection.cursor().copy("COPY webhook (id, signing_key) FROM STDIN") as rows:
        for number in range(50):
            rows.write_row((f"psycopg copy {number}", f"whsec_{number}"))
    with connection.cursor().copy("COPY webhook (id, signing_key) FROM STDIN (FORMAT binary)") as rows:
        rows.set_types(["text", "text"])
        for number in range(50, 100):
            rows.write_row((f"psycopg copy {number}", f"whsec_{number}"))
    many = "SELECT count(*) FROM webhook WHERE id = 'psycopg copy ' || substr(vault.reveal(signing_key), 7)"
    expect("rows of COPY", connection.execute(many).fetchone()[0], 100)


def prepared(connection):
    for _ in range(10):  # prepared from the fifth time on, and with a generic plan after five more
        row = connection.execute("SELECT vault.get_token('google', %s)", (USER,), prepare=True).fetchone()
        expect("get_token, prepared", row[0], TOKEN)


def pipeline(connection):
    users = [USER, "nobody", USER]
    with connection.pipeline():
        cursors = [connection.execute("SELECT vault.get_token('google', %s)", (user,)) for user in users]
        found = [cursor.fetchone()[0] for cursor in cursors]
    expect("get_token in a pipeline", found, [TOKEN, None, TOKEN])
    state = None
    # An error that is known before the pipeline ends is told a second time, in the log.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    try:
        with connection.pipeline():
            connection.execute(WRONG["TV020"])
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        state = error.sqlstate
    expect("an error in a pipeline", state, "TV020")


def errors(connection):
    for wanted, statement in WRONG.items():
        state = None
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            state = error.sqlstate
        expect(statement, state, wanted)


def events(connection):
    connection.execute("LISTEN token_vault")
    connection.execute("SELECT vault.create_tenant_key('events of psycopg')")
    found = [json.loads(notify.payload) for notify in connection.notifies(timeout=30, stop_after=1)]
    expect("events", [(event["event"], event["tenant"]) for event in found], [("key_created", "events of psycopg")])


with psycopg.connect(CONNINFO, autocommit=True) as connection:
    tokens(connection, binary=False)
    tokens(connection, binary=True)
    provider_answer("answer of psycopg", {"access_token": TOKEN, "token_type": "Bearer"}, "192.0.2.1")
    newest(connection, "answer of psycopg")
    readme(connection, USER, "psycopg", "whsec_psycopg")
    columns(connection)
    copy(connection)
    prepared(connection)
    pipeline(connection)
    errors(connection)
    events(connection)

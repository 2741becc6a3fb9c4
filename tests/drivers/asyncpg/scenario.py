"""asyncpg: it prepares every statement, and sends and receives in binary."""

import asyncio
import json
import os

import asyncpg

from expect import CONNINFO, WRONG, expect, expect_envelope, expect_many, many_users

USER = "user of asyncpg"
TOKEN = "example-access-token-asyncpg"
WHERE = dict(part.split("=", 1) for part in CONNINFO.replace("dbname=", "database=").split())


async def tokens(connection):
    store = "SELECT vault.store_token('google', $1, access_token => $2, expires_in => $3)"
    await connection.execute(store, USER, TOKEN, 3600)
    get = await connection.prepare("SELECT vault.get_token('google', $1)")
    for _ in range(10):
        expect("get_token, prepared", await get.fetchval(USER), TOKEN)
    expect("get_token of an unknown subject", await get.fetchval("nobody"), None)
    many = "SELECT subject, access_token, error_code FROM vault.get_tokens('google', $1)"
    expect_many("get_tokens", await connection.fetch(many, many_users(USER)), USER, TOKEN)
    metadata = json.dumps({"ip_address": "192.0.2.1"})
    answer = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})
    store = "SELECT vault.store_token_response('google', $1, $2, metadata => $3)"
    await connection.execute(store, USER, answer, metadata)
    expect("get_token", await get.fetchval(USER), TOKEN)


async def readme(connection, user, name, signing_key):
    # readme: asyncpg
    await connection.execute("INSERT INTO webhook VALUES ($1, $2)", name, signing_key)
    key = await connection.fetchval("SELECT vault.reveal(signing_key) FROM webhook WHERE id = $1", name)
    try:
        token = await connection.fetchval("SELECT vault.get_token('google', $1)", user)
    except asyncpg.PostgresError as error:
        token, state = None, error.sqlstate  # TV031: the user must authorize again
    # end
    expect("an encrypted column", key, signing_key)
    expect("get_token", token, TOKEN)


async def columns(connection):
    row = await connection.fetchrow("SELECT * FROM webhook WHERE id = 'asyncpg'")
    expect_envelope("the column itself", row["signing_key"])
    many = [(f"asyncpg many {number}", f"whsec_{number}") for number in range(100)]
    await connection.executemany("INSERT INTO webhook VALUES ($1, $2)", many)
    reveal = "SELECT id, vault.reveal(signing_key) FROM webhook WHERE id LIKE 'asyncpg many %'"
    expect("rows of executemany", sorted(map(tuple, await connection.fetch(reveal))), sorted(many))


async def copied(connection):
    """COPY is binary, for which the driver must be told how to send the type: plaintext will do."""
    rows = [(f"asyncpg copy {number}", f"whsec_{number}") for number in range(100)]
    await connection.set_type_codec("secret", schema="vault", encoder=str.encode, decoder=bytes, format="binary")
    await connection.copy_records_to_table("webhook", records=rows, columns=["id", "signing_key"])
    reveal = "SELECT id, vault.reveal(signing_key) FROM webhook WHERE id LIKE 'asyncpg copy %'"
    expect("rows of COPY", sorted(map(tuple, await connection.fetch(reveal))), sorted(rows))


async def errors(connection):
    for wanted, statement in WRONG.items():
        state = None
        try:
            await connection.fetch(statement)
        except asyncpg.PostgresError as error:
            state = error.sqlstate
        expect(statement, state, wanted)


async def events(connection):
    heard = asyncio.get_running_loop().create_future()
    await connection.add_listener("token_vault", lambda *event: heard.done() or heard.set_result(event[-1]))
    await connection.execute("SELECT vault.create_tenant_key('events of asyncpg')")
    event = json.loads(await asyncio.wait_for(heard, 30))
    expect("an event", (event["event"], event["tenant"]), ("key_created", "events of asyncpg"))


async def pooled():
    """Behind pgbouncer in transaction mode."""
    where = {**WHERE, "port": os.environ["POOLER_PORT"]}
    clients = [await asyncpg.connect(**where, statement_cache_size=0) for _ in range(5)]
    for client in clients * 2:
        expect("get_token, pooled", await client.fetchval("SELECT vault.get_token('google', $1)", USER), TOKEN)
        update = "UPDATE webhook SET signing_key = $2 WHERE id = $1"
        expect("an update, pooled", await client.execute(update, "asyncpg", "whsec_new"), "UPDATE 1")
    for client in clients:
        await client.close()


async def main():
    connection = await asyncpg.connect(**WHERE)
    await tokens(connection)
    await readme(connection, USER, "asyncpg", "whsec_asyncpg")
    await columns(connection)
    await errors(connection)
    await events(connection)
    await copied(connection)
    await connection.close()
    await pooled()


asyncio.run(main())

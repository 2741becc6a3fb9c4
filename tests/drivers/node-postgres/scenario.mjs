// node-postgres: parameters as text, results as text and binary, prepared statements, pipelining, events.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import pg from 'pg';

const USER = 'user of node-postgres';
const TOKEN = 'example-access-token-node-postgres';
const GET = "SELECT vault.get_token('google', $1)";
// The SQLSTATE that each of these must be told with.
const WRONG = {
  TV020: "SELECT vault.get_token('no such provider', 'alice')",
  TV035: "SELECT vault.refresh_token('google', 'nobody')",
  42501: "SELECT * FROM vault.export_token_set('google', 'alice')",
};

// Of get_tokens: a subject without a token, and one, of scenario.sql, whose token can't be had.
const OTHERS = [
  { subject: 'nobody', access_token: null, error_code: null },
  { subject: 'expired', access_token: null, error_code: 'TV030' },
];

// PGHOST, PGPORT and PGDATABASE say where.
async function connect(options = {}) {
  const client = new pg.Client({ user: 'app_role', ...options });
  await client.connect();
  return client;
}

async function tokens(client) {
  const store = "SELECT vault.store_token('google', $1, access_token => $2, expires_in => $3)";
  await client.query(store, [USER, TOKEN, 3600]);
  assert.equal((await client.query(GET, [USER])).rows[0].get_token, TOKEN);
  assert.equal((await client.query(GET, ['nobody'])).rows[0].get_token, null);
  const getMany = "SELECT subject, access_token, error_code FROM vault.get_tokens('google', $1)";
  const many = await client.query(getMany, [[USER, 'nobody', 'expired']]);
  assert.deepEqual(many.rows, [{ subject: USER, access_token: TOKEN, error_code: null }, ...OTHERS]);
  const response = { access_token: TOKEN, token_type: 'Bearer', expires_in: 3600 };
  await client.query("SELECT vault.store_token_response('google', $1, $2)", [USER, response]);
  for (let turn = 0; turn < 10; turn++) {
    const prepared = await client.query({ name: 'get token', text: GET, values: [USER] });
    assert.equal(prepared.rows[0].get_token, TOKEN);
  }
}

async function readme(client, user, name, signingKey) {
  // readme: node-postgres
  await client.query('INSERT INTO webhook VALUES ($1, $2)', [name, signingKey]);
  const { rows } = await client.query('SELECT vault.reveal(signing_key) AS key FROM webhook WHERE id = $1', [name]);
  const token = await client.query("SELECT vault.get_token('google', $1) AS token", [user]).catch((error) => {
    if (error.code !== 'TV031') throw error; // else: the user must authorize again
  });
  // end
  assert.equal(rows[0].key, signingKey);
  assert.equal(token.rows[0].token, TOKEN);
}

async function columns(client) {
  const select = "SELECT signing_key, vault.reveal(signing_key) FROM webhook WHERE id = 'node-postgres'";
  const [text] = (await client.query(select)).rows;
  assert.match(text.signing_key, /^tv1\./);
  assert.equal(text.reveal, 'whsec_node-postgres');
  // The binary form is the envelope's bytes, which node-postgres takes for text: useless, but told without an error.
  const [binary] = (await client.query({ text: select, binary: true })).rows;
  assert.equal(binary.reveal, 'whsec_node-postgres');
  // A Buffer is sent in binary.
  const insert = 'INSERT INTO webhook VALUES ($1, $2)';
  await client.query(insert, ['node-postgres buffer', Buffer.from('whsec_buffer')]);
  const reveal = "SELECT vault.reveal(signing_key) FROM webhook WHERE id = 'node-postgres buffer'";
  assert.equal((await client.query(reveal)).rows[0].reveal, 'whsec_buffer');
}

async function pipeline() {
  const client = await connect({ pipeline: true });
  const answers = await Promise.all([USER, 'nobody', USER].map((user) => client.query(GET, [user])));
  assert.deepEqual(answers.map((answer) => answer.rows[0].get_token), [TOKEN, null, TOKEN]);
  const [wrong, right] = await Promise.allSettled([client.query(WRONG.TV020), client.query(GET, [USER])]);
  assert.equal(wrong.reason.code, 'TV020');
  assert.equal(right.value.rows[0].get_token, TOKEN);
  await client.end();
}

async function errors(client) {
  for (const [code, statement] of Object.entries(WRONG)) {
    await assert.rejects(client.query(statement), { code }, statement);
  }
}

async function events(client) {
  await client.query('LISTEN token_vault');
  const heard = once(client, 'notification', { signal: AbortSignal.timeout(30_000) });
  await client.query("SELECT vault.create_tenant_key('events of node-postgres')");
  const { event, tenant } = JSON.parse((await heard)[0].payload);
  assert.deepEqual({ event, tenant }, { event: 'key_created', tenant: 'events of node-postgres' });
}

const client = await connect();
await tokens(client);
await readme(client, USER, 'node-postgres', 'whsec_node-postgres');
await columns(client);
await pipeline();
await errors(client);
await events(client);
await client.end();

// Drizzle on node-postgres: a column type of its own, revealed where a query asks for it.
import assert from 'node:assert/strict';
import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { customType, pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';

const USER = 'user of drizzle';
const TOKEN = 'example-access-token-drizzle';

// Of get_tokens: a subject without a token, and one, of scenario.sql, whose token can't be had.
const OTHERS = [
  { subject: 'nobody', access_token: null, error_code: null },
  { subject: 'expired', access_token: null, error_code: 'TV030' },
];

const client = new pg.Client({ user: 'app_role' });
await client.connect();
const db = drizzle(client);

async function tokens(user) {
  await db.execute(sql`SELECT vault.store_token('google', ${user}, access_token => ${TOKEN}, expires_in => ${3600})`);
  const { rows } = await db.execute(sql`SELECT vault.get_token('google', ${user}) AS token`);
  assert.equal(rows[0].token, TOKEN);
}

async function batch(users) {
  // readme: Drizzle, many tokens
  const get = sql`SELECT * FROM vault.get_tokens('google', ${sql.param(users)})`; // else: a list of parameters
  const { rows } = await db.execute(get);
  // end
  const found = rows.map(({ subject, access_token, error_code }) => ({ subject, access_token, error_code }));
  assert.deepEqual(found, [{ subject: USER, access_token: TOKEN, error_code: null }, ...OTHERS]);
}

async function readme(name, signingKey) {
  // readme: Drizzle
  const secret = customType({ dataType: () => 'vault.secret' });
  const webhook = pgTable('webhook', { id: text().primaryKey(), signingKey: secret('signing_key').notNull() });
  await db.insert(webhook).values({ id: name, signingKey });
  const revealed = { key: sql`vault.reveal(${webhook.signingKey})` };
  const [row] = await db.select(revealed).from(webhook).where(eq(webhook.id, name));
  // end
  assert.equal(row.key, signingKey);
  const [itself] = await db.select().from(webhook).where(eq(webhook.id, name));
  assert.match(itself.signingKey, /^tv1\./);
  await db.update(webhook).set({ signingKey: 'whsec_new' }).where(eq(webhook.id, name));
  assert.equal((await db.select(revealed).from(webhook).where(eq(webhook.id, name)))[0].key, 'whsec_new');
  const back = db.update(webhook).set(itself).where(eq(webhook.id, name));
  await assert.rejects(back, (error) => error.cause.code === 'TV011');
}

async function errors() {
  const unknown = db.execute(sql`SELECT vault.get_token('no such provider', 'alice')`);
  await assert.rejects(unknown, (error) => error.cause.code === 'TV020');
  const denied = db.execute(sql`SELECT * FROM vault.export_token_set('google', 'alice')`);
  await assert.rejects(denied, (error) => error.cause.code === '42501');
}

await tokens(USER);
await batch([USER, 'nobody', 'expired']);
await readme('drizzle', 'whsec_drizzle');
await errors();
await client.end();

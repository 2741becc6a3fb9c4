// Prisma on its adapter for node-postgres: an encrypted column is a String, functions are called in raw queries.
import assert from 'node:assert/strict';
import { PrismaPg } from '@prisma/adapter-pg';
import prismaClient from '@prisma/client';

const USER = 'user of prisma';
const TOKEN = 'example-access-token-prisma';

// Of get_tokens: a subject without a token, and one, of scenario.sql, whose token can't be had.
const OTHERS = [
  { subject: 'nobody', access_token: null, error_code: null },
  { subject: 'expired', access_token: null, error_code: 'TV030' },
];

// PGHOST, PGPORT and PGDATABASE say where.
const prisma = new prismaClient.PrismaClient({ adapter: new PrismaPg({ user: 'app_role' }) });

const sqlstate = (error) => error.meta.driverAdapterError.cause.originalCode;

async function tokens(user) {
  // An object is sent as JSON.
  const response = { access_token: 'first', token_type: 'Bearer', expires_in: 3600 };
  await prisma.$executeRaw`SELECT vault.store_token_response('google', ${user}, ${response})`;
  assert.equal((await prisma.$queryRaw`SELECT vault.get_token('google', ${user}) AS token`)[0].token, 'first');
  assert.equal((await prisma.$queryRaw`SELECT vault.get_token('google', 'nobody') AS token`)[0].token, null);
  const set = prisma.$queryRaw`SELECT expires_at FROM vault.get_token_set('google', ${user})`;
  assert.ok((await set)[0].expires_at > new Date());
}

async function readme(user, accessToken, name, signingKey) {
  // readme: Prisma
  await prisma.webhook.create({ data: { id: name, signingKey } });
  const [row] = await prisma.$queryRaw`SELECT vault.reveal(signing_key) AS key FROM webhook WHERE id = ${name}`;
  await prisma.$executeRaw`SELECT vault.store_token('google', ${user}, ${accessToken})`;
  const [{ token }] = await prisma.$queryRaw`SELECT vault.get_token('google', ${user}) AS token`;
  // end
  assert.equal(row.key, signingKey);
  assert.equal(token, accessToken);
}

async function batch(users) {
  const get = prisma.$queryRaw`SELECT subject, access_token, error_code FROM vault.get_tokens('google', ${users})`;
  assert.deepEqual(await get, [{ subject: USER, access_token: TOKEN, error_code: null }, ...OTHERS]);
}

async function columns(id) {
  const revealed = async () =>
    (await prisma.$queryRaw`SELECT vault.reveal(signing_key) AS key FROM webhook WHERE id = ${id}`)[0].key;
  const row = await prisma.webhook.update({ where: { id }, data: { signingKey: 'whsec_new' } });
  assert.match(row.signingKey, /^tv1\./);
  assert.equal(await revealed(), 'whsec_new');
  await prisma.webhook.upsert({ where: { id }, create: { id, signingKey: '' }, update: { signingKey: 'whsec_newer' } });
  assert.equal(await revealed(), 'whsec_newer');
  await prisma.webhook.update({ where: { id }, data: { active: false } });
  assert.equal(await revealed(), 'whsec_newer');
  // The envelope is refused when a whole row is written back, and has no equality.
  const back = prisma.webhook.update({ where: { id }, data: row });
  await assert.rejects(back, (error) => sqlstate(error) === 'TV011');
  const filtered = prisma.webhook.findMany({ where: { signingKey: 'whsec_newer' } });
  await assert.rejects(filtered, (error) => sqlstate(error) === '42883');
}

async function manyRows() {
  const data = Array.from({ length: 100 }, (_, number) => ({ id: `prisma ${number}`, signingKey: `whsec_${number}` }));
  assert.equal((await prisma.webhook.createMany({ data })).count, 100);
  const [{ found }] = await prisma.$queryRaw`
    SELECT count(*) AS found FROM webhook WHERE id = 'prisma ' || substr(vault.reveal(signing_key), 7)`;
  assert.equal(found, 100n);
}

async function errors() {
  const unknown = prisma.$queryRaw`SELECT vault.get_token('no such provider', 'alice')`;
  await assert.rejects(unknown, (error) => sqlstate(error) === 'TV020');
  const denied = prisma.$queryRaw`SELECT * FROM vault.export_token_set('google', 'alice')`;
  await assert.rejects(denied, (error) => sqlstate(error) === '42501');
  // Why README says $executeRaw: a function without a result is called, but its nothing is not understood.
  const nothing = prisma.$queryRaw`SELECT vault.store_token('google', 'void of prisma', 'example-access-token')`;
  await assert.rejects(nothing, /type 'void'/);
}

await tokens(USER);
await readme(USER, TOKEN, 'prisma', 'whsec_prisma');
await batch([USER, 'nobody', 'expired']);
await columns('prisma');
await manyRows();
await errors();
await prisma.$disconnect();

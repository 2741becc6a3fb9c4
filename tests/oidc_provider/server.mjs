// A certified OpenID provider for one test run: started by a test, configured through standard input, ended with it.
//
// The first line of standard input is JSON:
//   {certificate, key, client_id, client_secret, redirect_uri, access_token_ttl}   PEM, PEM, …, seconds
// When connections are accepted, one line of JSON goes to standard output: {issuer, control_url, pid}.
// The process ends when standard input is closed.

import http from 'node:http';
import https from 'node:https';
import readline from 'node:readline';

import { Provider } from 'oidc-provider';

import { configuration } from './configuration.mjs';
import { completeInteraction } from './interaction.mjs';
import { Journal } from './journal.mjs';

const LOOPBACK = ['127.0.0.1', '::1'];

const lines = readline.createInterface({ input: process.stdin });
lines.once('line', (line) => start(JSON.parse(line)).catch(fail));
lines.once('close', () => process.exit());

async function start(settings) {
  const tls = { key: settings.key, cert: settings.certificate };
  const { port, servers } = await listenOnLoopback(() => https.createServer(tls));
  const issuer = `https://localhost:${port}`;
  const journal = new Journal();
  const provider = new Provider(issuer, configuration(settings));
  provider.use(journal.middleware());
  provider.use(completeInteraction(provider));
  for (const server of servers) server.on('request', provider.callback());

  const control = http.createServer((request, response) => journal.answer(request, response));
  const controlPort = await listen(control, 0, '127.0.0.1');
  const ready = { issuer, control_url: `http://127.0.0.1:${controlPort}`, pid: process.pid };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

// "localhost" may mean either address, so both listen on one port; a machine without IPv6 has only the first.
async function listenOnLoopback(create) {
  const first = create();
  const port = await listen(first, 0, LOOPBACK[0]);
  const second = create();
  try {
    await listen(second, port, LOOPBACK[1]);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') return { port, servers: [first] };
    first.close();
    return listenOnLoopback(create);
  }
  return { port, servers: [first, second] };
}

function listen(server, port, address) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve(server.address().port));
  });
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

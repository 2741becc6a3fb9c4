// What the token endpoint was asked and what it answered, for assertions: GET /journal on the control port. Tokens
// appear as handles there (the start of their SHA-256); their plaintext is behind GET /issued, for the canary search.

import { createHash } from 'node:crypto';

export class Journal {
  #entries = [];
  #issued = [];

  middleware() {
    return async (context, next) => {
      await next();
      if (context.path === '/token') this.#add(context);
    };
  }

  answer(request, response) {
    const body = { '/journal': this.#entries, '/issued': this.#issued }[request.url];
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  }

  #add(context) {
    const answer = context.body ?? {};
    this.#entries.push({
      seq: this.#entries.length,
      at: Date.now() / 1000,
      client_id: context.oidc?.client?.clientId,
      grant_type: context.oidc?.params?.grant_type,
      status: context.status,
      error: answer.error,
      refresh_token_id: handle(context.oidc?.params?.refresh_token),
      new_refresh_token_id: handle(answer.refresh_token),
    });
    const secrets = [answer.access_token, answer.refresh_token, answer.id_token, context.oidc?.params?.code];
    this.#issued.push(...secrets.filter(Boolean));
  }
}

function handle(token) {
  return token && createHash('sha256').update(token).digest('hex').slice(0, 16);
}

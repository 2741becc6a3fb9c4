// The provider's memory. Its own memory store keeps a thousand entries and silently drops the oldest, which would look
// like revoked grants in a test with many tokens; this one keeps everything until it expires.

const entries = new Map(); // "Model:id" -> { payload, expiresAt }
const idByUid = new Map();
const keysByGrant = new Map(); // grant id -> Set of "Model:id"

export class MapAdapter {
  #model;

  constructor(model) {
    this.#model = model;
  }

  async upsert(id, payload, expiresIn) {
    const key = this.#key(id);
    const expiresAt = expiresIn ? Date.now() + expiresIn * 1000 : Infinity;
    entries.set(key, { payload, expiresAt });
    if (payload.uid) idByUid.set(this.#key(payload.uid), id);
    if (payload.grantId) {
      if (!keysByGrant.has(payload.grantId)) keysByGrant.set(payload.grantId, new Set());
      keysByGrant.get(payload.grantId).add(key);
    }
  }

  async find(id) {
    const entry = entries.get(this.#key(id));
    return entry && entry.expiresAt > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid) {
    const id = idByUid.get(this.#key(uid));
    return id && this.find(id);
  }

  // Only the device flow has user codes, and it is off.
  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const entry = entries.get(this.#key(id));
    if (entry) entry.payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of keysByGrant.get(grantId) ?? []) entries.delete(key);
    keysByGrant.delete(grantId);
  }

  #key(id) {
    return `${this.#model}:${id}`;
  }
}

/** The guide's Redis calls, on Redis or on maps in this process. */
import { Redis } from 'ioredis';

/** As many jobs as are kept without Redis, where no worker ever takes one. */
const KEPT_JOBS = 1000;

export async function openStore(url) {
  if (!url) return new MemoryStore();
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  return redis;
}

class MemoryStore {
  #hashes = new Map();
  #jobs = [];

  async hset(key, field, value) {
    let hash = this.#hashes.get(key);
    if (!hash) this.#hashes.set(key, (hash = new Map()));
    hash.set(field, value);
  }

  async hdel(key, field) {
    this.#hashes.get(key)?.delete(field);
  }

  async hgetall(key) {
    return Object.fromEntries(this.#hashes.get(key) ?? []);
  }

  async xadd(_stream, _id, ...fields) {
    this.#jobs.push(fields);
    if (this.#jobs.length > KEPT_JOBS) this.#jobs.shift();
  }

  async quit() {}
}

// One set-up at a time in one checkout. The lock is a directory that appears by rename, complete with the name of its owner, so that nobody
// ever sees a lock without one. A lock whose owner is gone is moved aside to a name derived from that very lock: of two that find
// it stale only one succeeds, and neither can move a lock that somebody took meanwhile, since the aside already exists.

import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const pollMs = 100;
const asideKeptMs = 3_600_000;

/**
 * Runs `work` while holding the lock.
 * @param {import("./context.mjs").Context} context
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @template T
 */
export async function withLock(context, work) {
  mkdirSync(context.cache, { recursive: true });
  const path = join(context.cache, "setup.lock");
  const token = randomBytes(8).toString("hex");
  await acquire(context, path, token);
  // A killed set-up may leave its npm or apt running for a while: the lock is stale only when that has ended too.
  context.noteWorker = (pid) => writeFileSync(join(path, `worker-${pid}`), JSON.stringify(identify(pid)));
  try {
    return await work();
  } finally {
    context.noteWorker = undefined;
    if (readOwner(path)?.token === token) {
      rmSync(path, { recursive: true, force: true });
    }
    removeOldAsides(context.cache);
  }
}

async function acquire(context, path, token) {
  const draft = `${path}.${token}`;
  mkdirSync(draft);
  writeFileSync(join(draft, "owner"), JSON.stringify({ ...identify(process.pid), token }));
  let told = false;
  for (;;) {
    try {
      renameSync(draft, path);
      return;
    } catch (error) {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") {
        rmSync(draft, { recursive: true, force: true });
        throw error;
      }
    }
    const owner = readOwner(path);
    if (owner !== undefined && !isAlive(owner) && !readWorkers(path).some(isAlive)) {
      moveAside(path, owner);
      continue;
    }
    if (!told) {
      context.say(`waiting for another set-up of this checkout (process ${owner?.pid ?? "unknown"})`);
      told = true;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function moveAside(path, owner) {
  try {
    renameSync(path, `${path}.left-${owner.token}`);
  } catch (error) {
    // ENOENT: it was released or moved by another; ENOTEMPTY, EEXIST: the aside is there, so what stands at `path` is a newer lock.
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code)) {
      throw error;
    }
  }
}

function readOwner(path) {
  return readIdentity(join(path, "owner"));
}

function readWorkers(path) {
  let names = [];
  try {
    names = readdirSync(path).filter((name) => name.startsWith("worker-"));
  } catch {
    // The lock was released meanwhile: nobody works under it.
  }
  return names.map((name) => readIdentity(join(path, name)));
}

function readIdentity(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function identify(pid) {
  return { pid, started: startTime(pid) };
}

/** A process id is used again sooner or later; where the system tells when a process began, that tells the two apart. */
function isAlive(identity) {
  if (identity === undefined) {
    return false;
  }
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
  return identity.started === undefined || startTime(identity.pid) === identity.started;
}

function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // One that has ended, and that its parent has not noticed yet, holds no lock.
    return fields[0] === "Z" ? "ended" : fields[19];
  } catch {
    return undefined;
  }
}

/** An aside is kept for a while, because a slow rival may still be about to make the same move. Drafts of killed set-ups go with it. */
function removeOldAsides(cache) {
  for (const name of readdirSync(cache)) {
    if (!name.startsWith("setup.lock.")) {
      continue;
    }
    const path = join(cache, name);
    try {
      if (Date.now() - statSync(path).mtimeMs > asideKeptMs) {
        rmSync(path, { recursive: true, force: true });
      }
    } catch {
      // Another set-up removed it first, which is what was wanted.
    }
  }
}

// What this browser stores for people. Every key contains the id of the person whose data it is. The data is removed
// when they sign out, and when a page finds data of someone else. A key without an id is not personal.

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const LIMIT_MS = 2000;

export class Device extends EventTarget {
  #userId;
  #tabs = new BroadcastChannel("parley");
  #tasks = [];
  #isSignedOut = false;

  constructor(userId) {
    super();
    this.#userId = userId;
    this.#tabs.onmessage = ({ data }) => this.#receive(data);
    this.#tabs.postMessage({ arrived: userId });
    // A page that the browser brings back from its memory may show another person's data.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    clear((ids) => !ids.includes(userId));
  }

  /** Whether this person has signed out: then nothing is stored any more. */
  get isSignedOut() {
    return this.#isSignedOut;
  }

  /** The key under which something of this person is stored. */
  keyFor(what, ...more) {
    return [what, this.#userId, ...more].join("-");
  }

  /** Run a task before this person signs out, if it does not take long. */
  beforeSignOut(task) {
    this.#tasks.push(task);
  }

  /** Remove everyone's data from this browser, and end this person's other tabs. */
  async signOut() {
    if (this.#isSignedOut) return;
    await atMost(LIMIT_MS, Promise.allSettled(this.#tasks.map((task) => task())));
    this.#end();
    this.#tabs.postMessage({ left: this.#userId });
    await atMost(LIMIT_MS, clear(() => true));
  }

  #receive({ arrived, left }) {
    if (arrived && arrived !== this.#userId) location.reload();
    else if (left === this.#userId) this.#endElsewhere();
  }

  /** Clear here too: no other tab can remove what this tab has in its session storage. */
  #endElsewhere() {
    this.#end();
    clear(() => true);
    this.dispatchEvent(new Event("signed-out-elsewhere"));
  }

  #end() {
    if (this.#isSignedOut) return;
    this.#isSignedOut = true;
    this.dispatchEvent(new Event("signed-out"));
  }
}

/** Remove what is stored under keys with ids, if `isWanted` accepts the ids. Without storage there is nothing to do. */
async function clear(isWanted) {
  const isRemoved = (key) => key.match(ID) && isWanted(key.match(ID));
  const tasks = [clearKeys(() => sessionStorage, isRemoved), clearKeys(() => localStorage, isRemoved)];
  await Promise.allSettled([...tasks, clearDatabases(isRemoved), clearCaches(isRemoved)]);
}

async function clearKeys(open, isRemoved) {
  const storage = open();
  for (const key of Object.keys(storage).filter(isRemoved)) storage.removeItem(key);
}

async function clearDatabases(isRemoved) {
  const kept = await indexedDB.databases();
  await Promise.all(kept.map(({ name }) => name).filter(isRemoved).map(dropDatabase));
}

/** Tabs that have the database open close it first. */
const dropDatabase = (name) =>
  new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = resolve;
  });

async function clearCaches(isRemoved) {
  const kept = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(kept.filter(isRemoved).map((name) => caches.delete(name)));
}

const atMost = (time, work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, time))]);

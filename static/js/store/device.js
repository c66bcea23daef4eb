// What this browser keeps of people. The name of everything that is kept holds the id of the person it belongs to: it is
// removed when they sign out, and when a page finds that it belongs to someone else. A name without an id is nobody's.

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const PATIENCE = 2000;

export class Device extends EventTarget {
  #userId;
  #tabs = new BroadcastChannel("parley");
  #tasks = [];
  #isOver = false;

  constructor(userId) {
    super();
    this.#userId = userId;
    this.#tabs.onmessage = ({ data }) => this.#hear(data);
    this.#tabs.postMessage({ arrived: userId });
    // What the browser kept of a page that was left may be another person's by now.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    clear((ids) => !ids.includes(userId));
  }

  /** Whether this person has signed out: then nothing is kept any more. */
  get isOver() {
    return this.#isOver;
  }

  /** The name under which something of this person is kept. */
  name(what, ...more) {
    return [what, this.#userId, ...more].join("-");
  }

  /** Do something before this person leaves, if it does not take long. */
  beforeLeaving(task) {
    this.#tasks.push(task);
  }

  /** Remove everything of everyone from this browser, and end this person's other tabs. */
  async leave() {
    if (this.#isOver) return;
    await atMost(PATIENCE, Promise.allSettled(this.#tasks.map((task) => task())));
    this.#end();
    this.#tabs.postMessage({ left: this.#userId });
    await atMost(PATIENCE, clear(() => true));
  }

  #hear({ arrived, left }) {
    if (arrived && arrived !== this.#userId) location.reload();
    else if (left === this.#userId) this.#endElsewhere();
  }

  /** What a tab keeps for itself no other tab can remove. */
  #endElsewhere() {
    this.#end();
    clear(() => true);
    this.dispatchEvent(new Event("elsewhere"));
  }

  #end() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.dispatchEvent(new Event("over"));
  }
}

/** Remove what names hold the ids of people; `goes` tells by the ids. Where there is no storage there is nothing to do. */
async function clear(goes) {
  const isToGo = (name) => name.match(ID) && goes(name.match(ID));
  const tasks = [clearKeys(() => sessionStorage, isToGo), clearKeys(() => localStorage, isToGo)];
  await Promise.allSettled([...tasks, clearDatabases(isToGo), clearCaches(isToGo)]);
}

async function clearKeys(find, isToGo) {
  const storage = find();
  for (const key of Object.keys(storage).filter(isToGo)) storage.removeItem(key);
}

async function clearDatabases(isToGo) {
  const kept = await indexedDB.databases();
  await Promise.all(kept.map(({ name }) => name).filter(isToGo).map(dropDatabase));
}

/** A tab that has it open closes it first. */
const dropDatabase = (name) =>
  new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = resolve;
  });

async function clearCaches(isToGo) {
  const kept = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(kept.filter(isToGo).map((name) => caches.delete(name)));
}

const atMost = (time, work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, time))]);

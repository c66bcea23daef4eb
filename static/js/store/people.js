// Who is who: names for the ids that messages carry. Who is not known yet is asked for, and told of when met.

export class People extends EventTarget {
  #api;
  #known = new Map();
  #asked = new Set();
  #here = new Set();
  #isWhole;

  constructor(api, elements, { isWhole }) {
    super();
    this.#api = api;
    this.#isWhole = isWhole;
    for (const { dataset } of elements) {
      this.learn({ id: dataset.personId, name: dataset.personName, username: dataset.personUsername, avatar: dataset.personAvatar });
      this.#here.add(dataset.personId);
    }
  }

  learn({ id, name, username = this.username(id), avatar = this.avatar(id) }) {
    this.#known.set(id, { id, name, username, avatar });
  }

  /** Learn a person as the API shows one. */
  meet(user) {
    this.learn({ id: user.id, name: user.display_name || user.username, username: user.username, avatar: user.avatar_url ?? "" });
  }

  /** The name, or nothing until the person is known. */
  name(id) {
    if (!this.#known.has(id)) this.#ask(id);
    return this.#known.get(id)?.name;
  }

  username(id) {
    return this.#known.get(id)?.username ?? "";
  }

  /** The path to the picture; empty if there is none, or nobody knows yet. */
  avatar(id) {
    return this.#known.get(id)?.avatar ?? "";
  }

  /** Those who are in the open conversation, by name. */
  get here() {
    const some = [...this.#here].map((id) => this.#known.get(id));
    return some.sort((one, other) => one.name.localeCompare(other.name));
  }

  /** Learn who is in a group that is too large to be listed on its page; true when there is somebody new. */
  async gather(id) {
    if (this.#isWhole) return false;
    this.#isWhole = true;
    try {
      for (let cursor = ""; cursor !== null; ) {
        const { data, pagination } = await this.#api.members(id, cursor);
        for (const { user } of data) this.come(user);
        cursor = pagination.next;
      }
    } catch (error) {
      this.#isWhole = false;
      throw error;
    }
    return true;
  }

  come(user) {
    this.meet(user);
    this.#here.add(user.id);
  }

  go(id) {
    this.#here.delete(id);
  }

  async #ask(id) {
    if (!id || this.#asked.has(id)) return;
    this.#asked.add(id);
    try {
      this.meet(await this.#api.user(id));
      this.dispatchEvent(new CustomEvent("met", { detail: { id } }));
    } catch {
      // Then there is nobody to be named.
    }
  }
}

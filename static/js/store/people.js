// Names, usernames and pictures for user ids. An unknown person is fetched; a `loaded` event follows.

export class People extends EventTarget {
  #api;
  #people = new Map();
  #requested = new Set();
  #members = new Set();
  #isComplete;

  constructor(api, elements, { isComplete }) {
    super();
    this.#api = api;
    this.#isComplete = isComplete;
    for (const { dataset } of elements) {
      const { personId: id, personName: name, personUsername: username, personAvatar: avatar } = dataset;
      this.add({ id, name, username, avatar });
      this.#members.add(id);
    }
  }

  add({ id, name, username = this.username(id), avatar = this.avatar(id) }) {
    this.#people.set(id, { id, name, username, avatar });
  }

  /** Add a person as the API returns one. */
  addUser({ id, username, display_name: name, avatar_url: avatar }) {
    this.add({ id, username, name: name || username, avatar: avatar ?? "" });
  }

  /** The name, or undefined until the person is loaded. */
  name(id) {
    if (!this.#people.has(id)) this.#load(id);
    return this.#people.get(id)?.name;
  }

  username(id) {
    return this.#people.get(id)?.username ?? "";
  }

  /** The URL of the picture; empty if there is none or it is not loaded yet. */
  avatar(id) {
    return this.#people.get(id)?.avatar ?? "";
  }

  /** The members of the open conversation, sorted by name. */
  get members() {
    const members = [...this.#members].map((id) => this.#people.get(id));
    return members.sort((one, other) => one.name.localeCompare(other.name));
  }

  /** Load the members of a group that is too large to be listed on its page. Returns true if it loaded any. */
  async loadMembers(id) {
    if (this.#isComplete) return false;
    this.#isComplete = true;
    try {
      for (let cursor = ""; cursor !== null; ) {
        const { data, pagination } = await this.#api.members(id, cursor);
        for (const { user } of data) this.addMember(user);
        cursor = pagination.next;
      }
    } catch (error) {
      this.#isComplete = false;
      throw error;
    }
    return true;
  }

  addMember(user) {
    this.addUser(user);
    this.#members.add(user.id);
  }

  removeMember(id) {
    this.#members.delete(id);
  }

  async #load(id) {
    if (!id || this.#requested.has(id)) return;
    this.#requested.add(id);
    try {
      this.addUser(await this.#api.user(id));
      this.dispatchEvent(new CustomEvent("loaded", { detail: { id } }));
    } catch {
      // Without an answer the person has no name here.
    }
  }
}

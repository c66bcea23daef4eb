// Who is who: names for the ids that messages carry.

export class People {
  #names = new Map();

  constructor(elements) {
    for (const { dataset } of elements) this.#names.set(dataset.personId, dataset.personName);
  }

  meet(conversation) {
    for (const { user } of conversation.participants ?? []) {
      this.#names.set(user.id, user.display_name || user.username);
    }
  }

  name(id) {
    return this.#names.get(id) ?? "Someone";
  }
}

// A request that the server refused, over the socket or REST.

const TEMPORARY = new Set(["rate_limited", "too_fast", "unavailable"]);

export class Refusal extends Error {
  constructor({ code, detail, errors = [], retry_after: retryAfter }) {
    super(detail);
    Object.assign(this, { code, errors, retryAfter });
  }

  /** Whether the same request may succeed a little later. */
  get isTemporary() {
    return TEMPORARY.has(this.code);
  }
}

/** Whether a retry may help: there was no answer, or the refusal is temporary. */
export const mayRetry = (failure) => !(failure instanceof Refusal) || failure.isTemporary;

// The server's no, whichever way it came.

const PASSING = new Set(["rate_limited", "too_fast", "unavailable"]);

export class Refusal extends Error {
  constructor({ code, detail, errors = [], retry_after: retryAfter }) {
    super(detail);
    Object.assign(this, { code, errors, retryAfter });
  }

  /** Whether the same may be welcome a little later. */
  get passing() {
    return PASSING.has(this.code);
  }
}

/** Whether another try may help: there was no answer at all, or a refusal that passes. */
export const mayPass = (failure) => !(failure instanceof Refusal) || failure.passing;

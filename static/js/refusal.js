// The server's no, whichever way it came.

export class Refusal extends Error {
  constructor({ code, detail, errors = [], retry_after: retryAfter }) {
    super(detail);
    Object.assign(this, { code, errors, retryAfter });
  }
}

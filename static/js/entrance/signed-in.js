// On every page of someone who has signed in: what others have left in this browser is removed.

import { Device } from "../store/device.js";

export const device = new Device(document.documentElement.dataset.userId);

// Pages with a connection say so themselves; the others show nothing, and ask to sign in when somebody comes back to them.
if (!document.querySelector("[data-link-state]")) {
  device.addEventListener("elsewhere", () => {
    document.body.hidden = true;
    addEventListener("focus", () => location.reload(), { once: true });
  });
}

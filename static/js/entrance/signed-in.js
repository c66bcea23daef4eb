// Runs on every page of someone who is signed in: removes what this browser has stored for other people.

import { Device } from "../store/device.js";

export const device = new Device(document.documentElement.dataset.userId);

// Pages with a connection show that they are signed out; others become blank, and reload when somebody returns to them.
if (!document.querySelector("[data-connection-status]")) {
  device.addEventListener("signed-out-elsewhere", () => {
    document.body.hidden = true;
    addEventListener("focus", () => location.reload(), { once: true });
  });
}

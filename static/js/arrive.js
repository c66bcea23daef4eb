// On every page of someone who has signed in: what others have left in this browser is removed.

import { Device } from "./store/device.js";

export const device = new Device(document.documentElement.dataset.userId);

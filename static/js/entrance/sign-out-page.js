// The page that asks whether one wants to sign out.

import { Ask } from "../page/confirm-dialog.js";
import { device } from "./signed-in.js";
import { Outbox } from "../store/outbox.js";
import { SignOut } from "./sign-out.js";

const find = (selector) => document.querySelector(selector);

new SignOut(find("[data-sign-out]"), { device, outbox: new Outbox(device), ask: new Ask(find("[data-ask-unsent]")) });

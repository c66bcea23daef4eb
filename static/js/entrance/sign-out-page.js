// The page that asks whether to sign out.

import { ConfirmDialog } from "../page/confirm-dialog.js";
import { device } from "./signed-in.js";
import { Outbox } from "../store/outbox.js";
import { SignOut } from "./sign-out.js";

const find = (selector) => document.querySelector(selector);
const dialog = new ConfirmDialog(find("[data-ask-unsent]"));

new SignOut(find("[data-sign-out]"), { device, outbox: new Outbox(device), dialog });

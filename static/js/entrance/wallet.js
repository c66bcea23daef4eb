// Asks the wallet of this browser to sign what shows that it is its person's, and sends it with the form.

import { Api } from "../net/api.js";

const DECLINED = 4001;

const form = document.querySelector("[data-wallet]");
const trouble = form.querySelector("[data-wallet-trouble]");
const button = form.querySelector("button");
const { message, signature, csrfmiddlewaretoken: token } = form.elements;
const api = new Api("/api/v1", token.value);
let wallet;

// Wallets tell of themselves (EIP-6963), or stand in the window already (EIP-1193).
const meet = (provider) => {
  wallet ??= provider;
  form.hidden = !wallet;
  document.querySelectorAll("[data-without-wallet]").forEach((words) => (words.hidden = Boolean(wallet)));
};

const hexadecimal = (text) =>
  `0x${Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

const sign = async () => {
  const [address] = await wallet.request({ method: "eth_requestAccounts" });
  const text = await api.walletMessage(address);
  message.value = text;
  signature.value = await wallet.request({ method: "personal_sign", params: [hexadecimal(text), address] });
};

const say = (error) => {
  trouble.textContent =
    error.code === DECLINED ? "That was not completed. You can try again." : "Your wallet did not sign. Please try again.";
  trouble.hidden = false;
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  trouble.hidden = true;
  button.disabled = true;
  try {
    await sign();
    form.submit();
  } catch (error) {
    say(error);
    button.disabled = false;
  }
});

// A page that comes back from the browser's memory has its button again.
window.addEventListener("pageshow", () => (button.disabled = false));
window.addEventListener("eip6963:announceProvider", ({ detail }) => meet(detail.provider));
window.dispatchEvent(new Event("eip6963:requestProvider"));
meet(window.ethereum);

// Asks the wallet in this browser to sign a message that proves its owner, and sends the signature with the form.

import { Api } from "../net/api.js";

const DECLINED = 4001;

const form = document.querySelector("[data-wallet]");
const trouble = form.querySelector("[data-wallet-trouble]");
const button = form.querySelector("button");
const { message, signature, csrfmiddlewaretoken: token } = form.elements;
const api = new Api("/api/v1", token.value);
let wallet;

// Wallets announce themselves by an event (EIP-6963) or are in `window.ethereum` already (EIP-1193).
const useWallet = (provider) => {
  wallet ??= provider;
  form.hidden = !wallet;
  document.querySelectorAll("[data-without-wallet]").forEach((element) => (element.hidden = Boolean(wallet)));
};

const hexadecimal = (text) =>
  `0x${Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

const sign = async () => {
  const [address] = await wallet.request({ method: "eth_requestAccounts" });
  const text = await api.walletMessage(address);
  message.value = text;
  signature.value = await wallet.request({ method: "personal_sign", params: [hexadecimal(text), address] });
};

const showError = (error) => {
  const isDeclined = error.code === DECLINED;
  trouble.textContent = isDeclined
    ? "That was not completed. You can try again."
    : "Your wallet did not sign. Please try again.";
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
    showError(error);
    button.disabled = false;
  }
});

// Enable the button when the browser brings the page back from its memory.
window.addEventListener("pageshow", () => (button.disabled = false));
window.addEventListener("eip6963:announceProvider", ({ detail }) => useWallet(detail.provider));
window.dispatchEvent(new Event("eip6963:requestProvider"));
useWallet(window.ethereum);

// Shows the ways of passkeys where the browser knows them, and says what went wrong with one.

const REASONS = {
  InvalidStateError: "This device has a passkey for your account already.",
  NotAllowedError: "That was not completed. You can try again.",
  SecurityError: "Passkeys work on this site's proper address only, not on this one.",
};

const trouble = document.querySelector("[data-passkey-trouble]");

const say = (text) => {
  trouble.textContent = text;
  trouble.hidden = false;
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const { name } = event.detail.exception;
  say(REASONS[name] ?? "That did not work. Please try again.");
});

if (window.PublicKeyCredential) {
  document.querySelectorAll("[data-passkey]").forEach((way) => (way.hidden = false));
} else if (!document.querySelector("[data-passkey-optional]")) {
  say("This browser can't use passkeys here. They need a secure connection (https).");
}

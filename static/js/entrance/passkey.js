// Shows the passkey buttons where the browser supports passkeys, and explains what went wrong.

const REASONS = {
  InvalidStateError: "This device has a passkey for your account already.",
  NotAllowedError: "That was not completed. You can try again.",
  SecurityError: "Passkeys work on this site's proper address only, not on this one.",
};

const trouble = document.querySelector("[data-passkey-trouble]");

const showError = (text) => {
  trouble.textContent = text;
  trouble.hidden = false;
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const { name } = event.detail.exception;
  showError(REASONS[name] ?? "That did not work. Please try again.");
});

if (window.PublicKeyCredential) {
  document.querySelectorAll("[data-passkey]").forEach((element) => (element.hidden = false));
} else if (!document.querySelector("[data-passkey-optional]")) {
  showError("This browser can't use passkeys here. They need a secure connection (https).");
}

// Brings a part of the page up to date every few seconds, for as long as someone looks.

const EVERY = 5000;

const renew = async () => {
  const page = await fetch(location.href);
  if (!page.ok || page.redirected) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  document.querySelector("[data-live]").replaceWith(fresh.querySelector("[data-live]"));
};

setInterval(() => document.hidden || renew().catch(() => {}), EVERY);

// Refreshes a part of the page every few seconds while the page is visible.

const INTERVAL_MS = 5000;

const refresh = async () => {
  const page = await fetch(location.href);
  if (!page.ok || page.redirected) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  document.querySelector("[data-live]").replaceWith(fresh.querySelector("[data-live]"));
};

setInterval(() => document.hidden || refresh().catch(() => {}), INTERVAL_MS);

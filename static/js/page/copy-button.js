// Buttons that copy the text of a field. Where the browser forbids that, the text is selected for the reader to copy.

import { copyText } from "./clipboard.js";

export function enableCopyButtons(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await copyText(field.value);
        button.textContent = "Copied";
      } catch {
        field.select();
        button.textContent = "Press Ctrl+C";
      }
    });
  }
}

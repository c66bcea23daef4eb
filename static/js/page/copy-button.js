// Buttons that copy what stands in a field; where the browser lets no script do that, the field is marked for it.

import { copyText } from "./clipboard.js";

export function offerCopies(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await copyText(field.value);
        button.textContent = "Copied";
      } catch {
        field.select();
        button.textContent = "Now press Ctrl and C";
      }
    });
  }
}

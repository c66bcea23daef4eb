// Buttons that copy what stands in a field; where the browser lets no script do that, the field is marked for it.

export function offerCopies(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Now press Ctrl and C";
      }
    });
  }
}

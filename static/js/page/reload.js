// Reloads a page whose content is out of date, unless its reader has begun to fill in a form: that must not be lost.

export function reloadUnlessWritten(main) {
  const fields = [...main.querySelectorAll("input, textarea, select")];
  if (!main.querySelector(".chip") && !fields.some(isWritten)) location.reload();
}

function isWritten({ type, value, defaultValue, checked, defaultChecked, files, options, selectedIndex }) {
  if (options) return selectedIndex !== Math.max(0, [...options].findIndex((option) => option.defaultSelected));
  if (type === "checkbox" || type === "radio") return checked !== defaultChecked;
  return files ? files.length > 0 : value !== defaultValue;
}
